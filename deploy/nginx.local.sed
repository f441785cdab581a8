# Adapts deploy/nginx.conf to an nginx without Docker, of any maintained version:
#   sed -f deploy/nginx.local.sed deploy/nginx.conf

# Three nodes on this machine, instead of a name that Docker's name server resolves.
/^ *resolver /d
s/server server:6901 resolve\(.*\);/server 127.0.0.1:6911\1; server 127.0.0.1:6912\1; server 127.0.0.1:6913\1;/

# Listens on loopback only: anybody can sign in at the demo.
s/listen 8080;/listen 127.0.0.1:6901;/

# Files are in the folder of the option -p.
s|/tmp/||
s|/dev/stdout|access.log|
