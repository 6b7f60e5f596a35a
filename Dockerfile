# The demonstration in a container: docker build --tag mm-fsm . && docker run --rm --tty mm-fsm
FROM python:3.13-slim
RUN useradd --create-home maker
WORKDIR /home/maker/mm-fsm
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY mm_fsm mm_fsm
RUN pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt '.[pictures]' \
    && mkdir runs && chown maker runs
USER maker
VOLUME /home/maker/mm-fsm/runs
ENTRYPOINT ["mm-fsm"]
CMD ["run", "--duration", "15m", "--speed", "max", "--seed", "7", "--out", "runs/demo"]
