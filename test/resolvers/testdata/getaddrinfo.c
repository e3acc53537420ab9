/* Looks up names with the C library's getaddrinfo. Reads lines of a name and a family,
   which is 4, 6 or both; prints the addresses to a line each, or how it failed, and
   then an empty line. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int family_of(const char *text)
{
	return strcmp(text, "4") == 0 ? AF_INET : strcmp(text, "6") == 0 ? AF_INET6 : AF_UNSPEC;
}

static void look_up(const char *name, const char *family)
{
	struct addrinfo hints = {.ai_family = family_of(family), .ai_socktype = SOCK_STREAM}, *list;
	int failed = getaddrinfo(name, NULL, &hints, &list);
	if (failed) {
		printf("error: %s\n", gai_strerror(failed));
		return;
	}
	for (struct addrinfo *a = list; a; a = a->ai_next) {
		char text[INET6_ADDRSTRLEN];
		const void *addr = a->ai_family == AF_INET
			? (const void *)&((struct sockaddr_in *)a->ai_addr)->sin_addr
			: (const void *)&((struct sockaddr_in6 *)a->ai_addr)->sin6_addr;
		puts(inet_ntop(a->ai_family, addr, text, sizeof text));
	}
	freeaddrinfo(list);
}

int main(void)
{
	char name[256], family[8];
	while (scanf("%255s %7s", name, family) == 2) {
		look_up(name, family);
		puts("");
		fflush(stdout);
	}
	return 0;
}
