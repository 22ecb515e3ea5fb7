# tgbridge as a container: what follows the image's name goes to `tgbridge serve`. docs/deployment.md says more.

FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/tgbridge \
    && /opt/tgbridge/bin/pip install --no-cache-dir --constraint constraints.txt '.[sandbox,uvloop]'

FROM python:3.13-slim
COPY --from=build /opt/tgbridge /opt/tgbridge
# A number, so that who runs it can tell that it is not root. Only the sandbox keeps anything.
RUN useradd --uid 10001 --no-create-home tgbridge && install --directory --owner=10001 --mode=700 /state
VOLUME /state
USER 10001
# A config.toml and an .env that are mounted here are read.
WORKDIR /etc/tgbridge
# Loopback is the container's own. What malloc is told, and why, is that of deploy/tgbridge.service.
ENV TGBRIDGE_SERVER__HOST=0.0.0.0 XDG_STATE_HOME=/state \
    MALLOC_MMAP_THRESHOLD_=16777216 MALLOC_TRIM_THRESHOLD_=67108864 MALLOC_TOP_PAD_=16777216
EXPOSE 8080
HEALTHCHECK --start-period=60s CMD ["/opt/tgbridge/bin/python", "-Ic", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=5)"]
ENTRYPOINT ["/opt/tgbridge/bin/python", "-I", "-m", "tgbridge", "serve"]
