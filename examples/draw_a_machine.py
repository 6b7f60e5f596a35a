"""Draw a machine: the picture comes from the definition that runs, so it cannot drift."""

from add_a_state import NewsAwareMaker

from mm_fsm import definition_of
from mm_fsm.diagram import mermaid_source

if __name__ == "__main__":
    print(mermaid_source(definition_of(NewsAwareMaker)))
