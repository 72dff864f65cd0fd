# What of the kit runs in containers: the gateway in front of LocalStack, a cluster's load balancers, and what compose.yaml
# runs beside the services.
# Build context: the root of the repository. It never ships.
ARG BASE_IMAGE=python:3.11.16-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84
FROM ${BASE_IMAGE}
COPY services/worker/requirements.txt /tmp/worker.txt
COPY sim/cloud/gateway/requirements.txt /tmp/gateway.txt
RUN pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes --requirement /tmp/worker.txt \
    && pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes --requirement /tmp/gateway.txt
# What the load balancers keep, in a volume that takes its owner from here.
RUN install --directory --owner=10001 --group=10001 --mode=700 /var/lib/edge
WORKDIR /app
# For every user, whatever the umask was that the checkout was made under.
COPY --chmod=755 services services
COPY --chmod=755 sim sim
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
# Whoever starts it knows what to ask.
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m"]
