# The servers that compose.yaml starts beside PostgreSQL, the same as in the tests (deploy/servers): etcd as Debian ships it,
# and MinIO, which is published as source only.

FROM debian:trixie-slim AS etcd
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends etcd-server etcd-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin server \
    && install --directory --mode=0700 --owner=server --group=server /data
USER 10001:10001
EXPOSE 2379
ENTRYPOINT ["etcd"]
CMD ["--data-dir=/data"]

FROM golang:1.24-trixie AS minio-build
ARG MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked \
    --mount=type=cache,target=/go/build,sharing=locked \
    CGO_ENABLED=0 GOCACHE=/go/build GOTOOLCHAIN=auto GOBIN=/out go install "github.com/minio/minio@${MINIO_VERSION}"

FROM debian:trixie-slim AS minio
# On one drive a bucket is a folder, and a new volume begins as a copy of what the image has in its place.
RUN useradd --uid 10001 --user-group --create-home --home-dir /var/lib/minio --shell /usr/sbin/nologin server \
    && install --directory --owner=server --group=server /data /data/flowetl
COPY --from=minio-build /out/minio /usr/local/bin/minio
USER 10001:10001
EXPOSE 9000
ENTRYPOINT ["minio"]
CMD ["server", "--quiet", "/data"]
