"""Each marked number of a page that a browser shows: its place in ``report.json`` and its exact value."""

MARKS = """() => Object.fromEntries([...document.querySelectorAll("data[data-of]")].map((mark) => {
  const places = [mark.dataset.of];
  for (let one = mark.closest("[data-place]"); one; one = one.parentElement.closest("[data-place]")) {
    places.unshift(one.dataset.place);
  }
  return [places.join("."), mark.value];
}))"""
