# The gateway in front of LocalStack, for the kit alone. Build context: the root of the repository.
ARG BASE_IMAGE=python:3.11.16-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84
FROM ${BASE_IMAGE}
COPY sim/cloud/gateway/requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes --requirement /tmp/requirements.txt
WORKDIR /app
COPY sim sim
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
# Whoever started it asks its control port.
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m", "sim.cloud.gateway"]
