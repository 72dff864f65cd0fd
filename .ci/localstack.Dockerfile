# offline/localstack: a stand-in for the official image, from LocalStack's own lock.
ARG BASE_IMAGE=python:3.11.16-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84
FROM ${BASE_IMAGE}
COPY requirements.txt /tmp/requirements.txt
# airspeed-ext and crontab have no wheels.
RUN pip install --no-cache-dir --no-deps --only-binary :all: --no-binary airspeed-ext,crontab --require-hashes \
        --requirement /tmp/requirements.txt \
    && pip check
# As in the official image: a folder that its health needs, the sign that it is in a container, and the index of AWS's
# services, which takes seconds at each start otherwise.
RUN mkdir /usr/lib/localstack \
    && touch /usr/lib/localstack/.community-version \
    && python -m localstack.aws.spec
ENV GATEWAY_LISTEN=0.0.0.0:4566 \
    DISABLE_EVENTS=1 \
    DNS_ADDRESS=0 \
    SKIP_SSL_CERT_DOWNLOAD=1
EXPOSE 4566
# In bash, because once a second is often: a tenth of the CPU time that Python takes to start and ask.
HEALTHCHECK --interval=1s --timeout=2s --start-period=60s --start-interval=1s --retries=5 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/4566 && printf 'GET /_localstack/health HTTP/1.0\\r\\n\\r\\n' >&3 && read -r status <&3 && [[ $status == *' 200 '* ]]"]
ENTRYPOINT ["localstack-supervisor"]
