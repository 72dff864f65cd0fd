# offline/python: a stand-in for the official slim image, with python and pip on the same paths. On top of Debian's
# Python it holds how this machine reaches Python packages, so it is for this machine only.
ARG ROOTFS=offline/rootfs
FROM ${ROOTFS}
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY pip.conf /etc/pip.conf
RUN python3 -m venv /usr/local
ENV LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
CMD ["python3"]
