# offline/registry: a stand-in for the official image, without the accounts that Debian's configuration asks for.
ARG ROOTFS=offline/registry-rootfs
FROM ${ROOTFS}
RUN sed -i -e '/^auth:/,/path:/d' -e 's#/var/lib/docker-registry#/var/lib/registry#' /etc/docker/registry/config.yml
EXPOSE 5000
ENTRYPOINT ["docker-registry"]
CMD ["serve", "/etc/docker/registry/config.yml"]
