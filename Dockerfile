# One image, one executable. The console is embedded from the repository: no Node is needed to build.
#
#   docker build -t plinth .
#   docker run -p 127.0.0.1:8080:8080 -v plinth:/var/lib/plinth -e PLINTH_SERVER__PUBLIC_URL=http://127.0.0.1:8080 plinth

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Registry and objects are kept between builds, so a changed line does not compile the dependencies again.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p plinth \
 && install -D target/release/plinth /out/plinth

FROM debian:bookworm-slim
# pg_dump and pg_restore are what `plinth backup` and `plinth restore` call on PostgreSQL. They follow the distribution's
# version (15), so they are not pinned.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates postgresql-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/plinth --shell /usr/sbin/nologin plinth \
 && install -d -o plinth -g plinth -m 0700 /var/lib/plinth
COPY --from=build /out/plinth /usr/local/bin/plinth
COPY deploy/healthcheck /usr/local/bin/plinth-healthcheck

USER 10001
WORKDIR /var/lib/plinth
VOLUME /var/lib/plinth
EXPOSE 8080
ENV PLINTH_DATA__DIR=/var/lib/plinth \
    PLINTH_SERVER__LISTEN=0.0.0.0:8080 \
    PLINTH_LOG__FORMAT=json
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["plinth-healthcheck"]
# More than server.drain_ms, so that requests under way can finish.
STOPSIGNAL SIGTERM
ENTRYPOINT ["plinth"]
CMD ["serve"]
