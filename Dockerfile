# The server as an image: docker build -t mcp-template .
# It logs to standard output, writes nothing to the disk, and stops within 30 seconds of SIGTERM.

FROM node:24-alpine AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/server/package.json ./packages/server/
COPY packages/create/package.json ./packages/create/
COPY packages/doctor/package.json ./packages/doctor/
COPY starter/package.json ./starter/
COPY examples/tickets/package.json ./examples/tickets/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.base.json ./
COPY packages/server ./packages/server
# Declarations are only needed to compile tools.
RUN npm run build \
  && find packages/server/dist -type f \( -name '*.d.ts' -o -name '.tsbuildinfo' \) -delete

FROM node:24-alpine AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/server/package.json ./packages/server/
COPY packages/create/package.json ./packages/create/
COPY packages/doctor/package.json ./packages/doctor/
COPY starter/package.json ./starter/
COPY examples/tickets/package.json ./examples/tickets/
# Source maps, sources and declarations are more than half of node_modules and unused at run time. The
# links to other workspaces are dangling here.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && rm -f node_modules/create-mcp-template node_modules/example-tickets node_modules/@mcp-template/doctor \
  && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete

FROM node:24-alpine
ARG REVISION=unknown
LABEL org.opencontainers.image.title="MCP Template" \
  org.opencontainers.image.description="A server for the Model Context Protocol" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.revision="${REVISION}"
# NODE_OPTIONS: a larger young generation for the garbage of calls; see docs/operations.md.
ENV NODE_ENV=production \
  NODE_OPTIONS=--max-semi-space-size=64 \
  MASK_MCP_HOST=0.0.0.0
# Removes package managers, which an attacker could use (hardening).
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-* /usr/local/bin/yarn /usr/local/bin/yarnpkg
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/packages/server/package.json ./packages/server/
COPY --from=build /app/packages/server/bin ./packages/server/bin
COPY --from=build /app/packages/server/dist ./packages/server/dist
COPY starter/package.json ./starter/
COPY starter/src ./starter/src
# The user "node", by number, which Kubernetes requires for runAsNonRoot.
USER 1000:1000
EXPOSE 6901
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["sh", "-c", "wget -q -O /dev/null http://127.0.0.1:${MASK_MCP_PORT:-${PORT:-6901}}/livez"]
CMD ["node", "packages/server/bin/mcp-template.js", "start", "--project", "starter"]
