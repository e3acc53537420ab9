$ORIGIN example.com.
@       60 IN SOA  ns nobody 1 1800 900 604800 60
@       60 IN NS   ns
ns      60 IN A    {{.Address}}
www     60 IN A    192.0.2.80
www     60 IN AAAA 2001:db8::80
alias   60 IN CNAME www
