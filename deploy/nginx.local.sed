# Makes of deploy/nginx.conf one for an nginx without Docker, of any version that is in use:
#   sed -f deploy/nginx.local.sed deploy/nginx.conf

# Three nodes on this machine, instead of a name that Docker's name server resolves.
/^ *resolver /d
s/server server:6901 resolve\(.*\);/server 127.0.0.1:6911\1; server 127.0.0.1:6912\1; server 127.0.0.1:6913\1;/

# Nobody but this machine: at the demo anybody can sign in.
s/listen 8080;/listen 127.0.0.1:6901;/

# Files lie in the folder that is given with -p.
s|/tmp/||
s|/dev/stdout|access.log|
