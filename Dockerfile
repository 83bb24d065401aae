# The operator alone: one static program, and the certificate authorities by which it knows the cloud. No shell, nothing
# that is written to at run time. `make image` packs what the last stage says, without a container daemon.
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN make static && cp target/*/release/ack-operator /ack-operator

FROM scratch
LABEL org.opencontainers.image.title="ack-operator" \
      org.opencontainers.image.description="Alibaba Cloud ACK clusters as Kubernetes resources" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /ack-operator /ack-operator
USER 65532:65532
ENTRYPOINT ["/ack-operator"]
