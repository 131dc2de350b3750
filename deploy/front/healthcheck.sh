# Does a gateway answer through it?
exec 3<>/dev/tcp/127.0.0.1/8000
printf 'GET /livez HTTP/1.0\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
