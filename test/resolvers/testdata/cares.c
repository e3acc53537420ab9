/* Looks up names with c-ares. Reads lines of a name and a family, which is 4, 6 or
   both; prints the addresses to a line each, or how it failed, and then an empty line. */
#include <ares.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>

static void found(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
	(void)arg, (void)timeouts;
	if (status != ARES_SUCCESS) {
		printf("error: %s\n", ares_strerror(status));
		return;
	}
	for (struct ares_addrinfo_node *a = list->nodes; a; a = a->ai_next) {
		char text[INET6_ADDRSTRLEN];
		const void *addr = a->ai_family == AF_INET
			? (const void *)&((struct sockaddr_in *)a->ai_addr)->sin_addr
			: (const void *)&((struct sockaddr_in6 *)a->ai_addr)->sin6_addr;
		puts(inet_ntop(a->ai_family, addr, text, sizeof text));
	}
	ares_freeaddrinfo(list);
}

static void run(ares_channel channel)
{
	for (;;) {
		fd_set readers, writers;
		struct timeval wait, *limit;
		FD_ZERO(&readers);
		FD_ZERO(&writers);
		int count = ares_fds(channel, &readers, &writers);
		if (count == 0)
			return;
		limit = ares_timeout(channel, NULL, &wait);
		select(count, &readers, &writers, NULL, limit);
		ares_process(channel, &readers, &writers);
	}
}

static void look_up(ares_channel channel, const char *name, const char *family)
{
	struct ares_addrinfo_hints hints = {
		.ai_family = strcmp(family, "4") == 0 ? AF_INET : strcmp(family, "6") == 0 ? AF_INET6 : AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	ares_getaddrinfo(channel, name, NULL, &hints, found, NULL);
	run(channel);
}

int main(void)
{
	ares_channel channel;
	char name[256], family[8];
	if (ares_library_init(ARES_LIB_INIT_ALL) || ares_init(&channel))
		return 2;
	while (scanf("%255s %7s", name, family) == 2) {
		look_up(channel, name, family);
		puts("");
		fflush(stdout);
	}
	ares_destroy(channel);
	ares_library_cleanup();
	return 0;
}
