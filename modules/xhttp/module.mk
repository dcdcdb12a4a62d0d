PKGS_xhttp := libmicrohttpd
