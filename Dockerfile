# The one recipe for every program of ours:
#
#   docker build --build-arg SERVICE=auth -t portico/auth:dev .
#   docker build --build-arg WORKSPACE=gateway -t portico/gateway:dev .
#
# Sources run as they are written (Node strips the types), so nothing is built: production dependencies of one
# workspace, its sources, and what Node compiled of both. No BuildKit feature is used.
ARG BASE=node:24-bookworm-slim

# What every image shares, once: each package is downloaded here, and nowhere else. Nothing that differs between images may
# be named in this stage, or it would be made anew for each of them.
FROM ${BASE} AS packages
WORKDIR /app
# npm checks the lock file against the manifests of all workspaces.
COPY package.json package-lock.json ./
COPY gateway/package.json gateway/
COPY packages/dev-env/package.json packages/dev-env/
COPY packages/sandboxes/package.json packages/sandboxes/
COPY packages/service-kit/package.json packages/service-kit/
COPY services/auth/package.json services/auth/
COPY services/cards/package.json services/cards/
COPY services/patients/package.json services/patients/
COPY services/payments/package.json services/payments/
COPY services/posts/package.json services/posts/
# npm would follow a workspace's devDependencies to other workspaces, and install what those depend on.
RUN for manifest in gateway/package.json packages/*/package.json services/*/package.json; do \
      npm pkg delete devDependencies --prefix "$(dirname "$manifest")"; \
    done \
 && npm ci --workspaces --omit dev --ignore-scripts --no-audit --no-fund --loglevel error --cache /npm \
 && rm -rf node_modules

FROM packages AS build
ARG SERVICE
ARG WORKSPACE=services/${SERVICE}
# Half of V8's young generation, in MiB. What is busy collects its garbage less often with more.
ARG YOUNG_MIB=1
# Only this workspace's packages, without asking anybody.
RUN npm ci --workspace "${WORKSPACE}" --omit dev --ignore-scripts --no-audit --no-fund --loglevel error \
      --offline --cache /npm \
 # What only people and compilers read. Node refuses to run TypeScript below node_modules, so none is needed there.
 && find node_modules -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.flow' \
      -o -name '*.tsbuildinfo' -o -name '*.md' ! -iname '*licen[cs]e*' \) -delete \
 && rm -rf node_modules/.bin node_modules/.package-lock.json \
 # The same sources make the same files, to the second; only what V8 compiles below may differ by a few bytes.
 && find node_modules -exec touch --no-dereference --date @0 {} +

COPY packages/service-kit packages/service-kit
COPY ${WORKSPACE} ${WORKSPACE}
# Each program is started without a configuration: it loads all of its code, refuses to go on, and leaves what it
# compiled, which halves the time to start. Node keeps that apart by user and flags, so both are those of the image.
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/.compiled NODE_OPTIONS=--max-semi-space-size=${YOUNG_MIB}
RUN kept="$(cd node_modules/@portico 2>/dev/null && for name in *; do realpath "$name"; done; echo "/app/${WORKSPACE}")" \
 && for workspace in gateway packages/* services/*; do \
      echo "$kept" | grep -qx "/app/$workspace" || rm -rf "$workspace"; \
    done \
 && rm package-lock.json \
 && mkdir .compiled && chown node:node .compiled \
 && cd "${WORKSPACE}/src" \
 && for program in main.ts migrate.ts seed.ts; do \
      [ ! -e "$program" ] || setpriv --reuid node --regid node --init-groups \
        node --liftoff-only "$program" </dev/null >/dev/null 2>&1 || true; \
    done \
 && find /app -newermt @0 -exec touch --no-dereference --date @0 {} +

FROM ${BASE}
ARG SERVICE
ARG WORKSPACE=services/${SERVICE}
ARG YOUNG_MIB=1
COPY --from=build /app /app
# MALLOC_ARENA_MAX: one pool for all threads, so that what one has freed another can use.
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/.compiled \
    NODE_OPTIONS=--max-semi-space-size=${YOUNG_MIB} \
    MALLOC_ARENA_MAX=1 \
    HOST=0.0.0.0
WORKDIR /app/${WORKSPACE}/src
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
# --liftoff-only: undici's parser of HTTP is WebAssembly, which V8 would optimise for 10 MiB.
ENTRYPOINT ["node", "--liftoff-only"]
CMD ["main.ts"]
