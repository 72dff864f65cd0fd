# LocalStack with the control plane, as a folder where its Python looks for packages: docs/control-plane.md.
# Build context: the root of the repository.
ARG BASE_IMAGE=localstack/localstack:4.13.1
FROM ${BASE_IMAGE}
# For every user, whatever the umask was that the checkout was made under.
COPY --chmod=755 sim/cloud/localstack/control_plane.dist-info /opt/plugins/control_plane.dist-info
COPY --chmod=755 sim/errors.py /opt/plugins/sim/errors.py
COPY --chmod=755 sim/aws /opt/plugins/sim/aws
COPY --chmod=755 sim/cluster /opt/plugins/sim/cluster
COPY --chmod=755 sim/cloud/control_plane /opt/plugins/sim/cloud/control_plane
ENV PYTHONPATH=/opt/plugins
