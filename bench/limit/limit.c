/* The limit: how fast this machine carries a byte stream to many sockets.
 *
 * One immutable buffer is sent round and round to every client with epoll and
 * non-blocking writes, by one thread or two. There is no reading, parsing,
 * encoding or accounting: it is what is left of a log streamer when everything
 * but the sending is taken away.
 *
 *   limit -f FILE [-h HEAD] -c CLIENTS [-t 1|2] [-w BYTES] [-s SNDBUF]
 *   limit -a FILE -p PORT [-w BYTES] [-s SNDBUF]
 *
 * -f the bytes to send, whole lines; -h what each client is sent first; -w bytes
 * a write (65536); -s SO_SNDBUF (262144). It listens on a free loopback port,
 * prints it, and sends once CLIENTS have connected, until it is killed or 10
 * minutes are over.
 *
 * With -a it is the limit from a growing file to one socket: it connects to PORT
 * and copies what is appended to FILE, -w bytes a read and write, and looks again
 * after 100 microseconds when there is nothing. It looks at no byte.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char *bytes, *head;
static size_t size, headSize, perWrite = 65536;
static int *sockets, clients, threads = 1;

static void fail(const char *what) {
	perror(what);
	exit(2);
}

static char *load(const char *path, size_t *n) {
	int fd = open(path, O_RDONLY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) fail(path);
	char *b = malloc(st.st_size + 1);
	size_t have = 0;
	while (have < (size_t)st.st_size) {
		ssize_t k = read(fd, b + have, st.st_size - have);
		if (k <= 0) fail(path);
		have += k;
	}
	close(fd);
	*n = have;
	return b;
}

/* Sends to every threads-th client, as a level of readiness allows: one write,
 * then the next client, so that all advance alike. */
static void *serve(void *arg) {
	int first = (int)(long)arg, ep = epoll_create1(0);
	size_t *at = calloc(clients, sizeof *at);
	for (int i = first; i < clients; i += threads) {
		struct epoll_event ev = {.events = EPOLLOUT, .data.u32 = i};
		if (epoll_ctl(ep, EPOLL_CTL_ADD, sockets[i], &ev) < 0) fail("epoll_ctl");
	}
	struct epoll_event evs[1024];
	for (;;) {
		int n = epoll_wait(ep, evs, 1024, -1);
		for (int k = 0; k < n; k++) {
			int i = evs[k].data.u32;
			size_t left = size - at[i];
			ssize_t w = write(sockets[i], bytes + at[i], left < perWrite ? left : perWrite);
			if (w > 0) {
				at[i] += w;
				if (at[i] == size) at[i] = 0;
			} else if (w < 0 && errno != EAGAIN && errno != EINTR) {
				epoll_ctl(ep, EPOLL_CTL_DEL, sockets[i], NULL);
			}
		}
	}
	return NULL;
}

/* Copies what a file has and gets to a socket, until the reader is gone. */
static void follow(const char *path, int port, int sndbuf) {
	int in = open(path, O_RDONLY), out = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
	if (in < 0) fail(path);
	if (out < 0 || setsockopt(out, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf) < 0 || connect(out, (void *)&sa, sizeof sa) < 0) fail("connect");
	char *b = malloc(perWrite);
	for (;;) {
		ssize_t n = read(in, b, perWrite);
		if (n < 0) fail(path);
		if (n == 0) nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
		for (ssize_t k = 0, w; k < n; k += w)
			if ((w = write(out, b + k, n - k)) < 0) return;
	}
}

int main(int argc, char **argv) {
	const char *appended = NULL;
	int sndbuf = 262144, port = 0, opt;
	signal(SIGPIPE, SIG_IGN);
	alarm(600);
	while ((opt = getopt(argc, argv, "f:h:c:t:w:s:a:p:")) != -1) {
		switch (opt) {
		case 'f': bytes = load(optarg, &size); break;
		case 'h': head = load(optarg, &headSize); break;
		case 'c': clients = atoi(optarg); break;
		case 't': threads = atoi(optarg); break;
		case 'w': perWrite = atol(optarg); break;
		case 's': sndbuf = atoi(optarg); break;
		case 'a': appended = optarg; break;
		case 'p': port = atoi(optarg); break;
		default: return 2;
		}
	}
	if (appended && port) {
		follow(appended, port, sndbuf);
		return 0;
	}
	if (!size || clients < 1 || threads < 1 || threads > 2) {
		fprintf(stderr, "usage: limit -f FILE [-h HEAD] -c CLIENTS [-t 1|2] [-w BYTES] [-s SNDBUF]\n       limit -a FILE -p PORT [-w BYTES] [-s SNDBUF]\n");
		return 2;
	}
	sockets = calloc(clients, sizeof *sockets);
	int ln = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sa;
	if (ln < 0 || bind(ln, (void *)&sa, len) < 0 || listen(ln, 4096) < 0 || getsockname(ln, (void *)&sa, &len) < 0) fail("listen");
	printf("127.0.0.1:%d\n", ntohs(sa.sin_port));
	fflush(stdout);
	for (int i = 0; i < clients; i++) {
		int one = 1;
		if ((sockets[i] = accept4(ln, NULL, NULL, SOCK_NONBLOCK)) < 0) fail("accept");
		setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		setsockopt(sockets[i], SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
		if (headSize && write(sockets[i], head, headSize) != (ssize_t)headSize) fail("head");
	}
	pthread_t second;
	if (threads == 2 && pthread_create(&second, NULL, serve, (void *)1L)) fail("thread");
	serve((void *)0L);
}
