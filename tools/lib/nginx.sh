# shellcheck shell=bash
# nginx: the files of nginx/ as they are, in a private nginx on the loopback address. Sourced.
#
# Only what names a place is made here: listen.conf, the sockets in upstreams.conf, the certificate.
#
# Uses     state, sockets, port, drop, service_user, start_server

# A self-signed certificate for localhost, made again a day before it ends.
make_certificate() {
	if [ ! -s "$state/certificate.key" ] ||
		! openssl x509 -in "$state/certificate.pem" -noout -checkend 86400 >/dev/null 2>&1; then
		(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
			-days 365 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
			-keyout "$state/certificate.key" -out "$state/certificate.pem" 2>"$state/log/openssl.log") ||
			die "openssl failed; see $state/log/openssl.log"
		chmod 0644 "$state/certificate.pem"
	fi
	[ "${#drop[@]}" = 0 ] || chown "$service_user:" "$state/certificate.key"
}

# HTTP/2 is asked for in another way since nginx 1.25.1.
listen_lines() {
	local version
	version=$(nginx -v 2>&1) && version=${version##*/}
	if [ "$(printf '%s\n' 1.25.1 "${version%% *}" | sort -V | head -n 1)" = 1.25.1 ]; then
		printf 'listen 127.0.0.1:%s ssl;\nhttp2 on;\n' "$port"
	else
		printf 'listen 127.0.0.1:%s ssl http2;\n' "$port"
	fi
}

write_nginx_configuration() {
	local folder=$state/nginx temporary=$state/nginx-temporary
	rm -rf "$folder/mamori"
	mkdir -p "$folder/mamori"
	cp "$prefix"/share/mamori/nginx/*.conf "$folder/mamori/"
	sed -i "s#unix:/run/mamori/#unix:$sockets/#" "$folder/mamori/upstreams.conf"
	listen_lines >"$folder/mamori/listen.conf"
	cat >"$folder/nginx.conf" <<END
# Written by tools/demo at every start.
worker_processes 2;
daemon off;
pid $temporary/nginx.pid;
error_log stderr notice;
events {
    worker_connections 1024;
}
http {
    access_log off;
    client_body_temp_path $temporary/body;
    fastcgi_temp_path     $temporary/fastcgi;
    proxy_temp_path       $temporary/proxy;
    scgi_temp_path        $temporary/scgi;
    uwsgi_temp_path       $temporary/uwsgi;

    include mamori/http.conf;
    server {
        include             mamori/listen.conf;
        server_name         localhost;
        ssl_certificate     $state/certificate.pem;
        ssl_certificate_key $state/certificate.key;
        include mamori/tls.conf;
        include mamori/site.conf;
    }
}
END
}

start_nginx() {
	make_certificate
	write_nginx_configuration
	start_server nginx nginx -e stderr -p "$state/nginx" -c "$state/nginx/nginx.conf"
}
