# The image of weir: built on Debian 12, run on Debian 12 with the libraries it links to and nothing else, not as root.
#
#   docker build -t weir .
#   docker run --rm -p 8080:8080 -v ./weir.yaml:/etc/weir/weir.yaml:ro --security-opt seccomp=unconfined weir
#
# Docker's own seccomp profile forbids io_uring since Docker 25, and weir is built on it; hence the option. A profile that
# allows io_uring_setup, io_uring_enter and io_uring_register beside the default ones does as well.
#
# How this file was checked: not with a container engine. Each RUN was run by hand, as root, in two fresh Debian 12 roots
# (debootstrap --variant=minbase), one for each stage, with what COPY says copied between them; in the second root weir
# then served as the user weir, behind it three origins, and answered `weir ctl`.
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/setup.sh scripts/setup.sh
RUN scripts/setup.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DWEIR_TESTS=OFF -DWEIR_BENCH=OFF \
 && cmake --build --preset release --target weir \
 && DESTDIR=/out cmake --install build/release --prefix /usr --strip

FROM debian:12-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      libcurl4 libmimalloc2.0 liburing2 libmaxminddb0 libssl3 libyaml-cpp0.7 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --no-create-home --home-dir /nonexistent weir \
 && install -d -o weir -g weir /run/weir /etc/weir
COPY --from=build /out/ /
# Fails here, and not at the user, when a library is missing above.
RUN weir --help >/dev/null
USER weir
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["weir"]
CMD ["run", "-c", "/etc/weir/weir.yaml"]
