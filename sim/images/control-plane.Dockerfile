# LocalStack with the control plane, as a folder where its Python looks for packages: docs/control-plane.md.
ARG BASE_IMAGE=localstack/localstack:4.13.1
FROM ${BASE_IMAGE}
COPY localstack/control_plane.dist-info /opt/plugins/control_plane.dist-info
COPY control_plane /opt/plugins/sim/cloud/control_plane
ENV PYTHONPATH=/opt/plugins
