/* A small client and server for the network tests; built with glibc and with musl.
 *   net serve tcp:80 udp:81 sctp:82 …  says who it is and who asks: "HOSTNAME CLIENT-ADDRESS\n", over TCP and SCTP as HTTP/1.0
 *   net ask tcp|udp|sctp HOST PORT N  asks N times, each on a fresh socket; one line an answer, or why there is none
 *   net load HOST PORT N RATE   asks N times over TCP at RATE a second; prints "ok=… failed=…"
 *   net flow HOST PORT N        one UDP socket, a message every 50 ms; prints who answers each, or "timeout"
 *   net resolve NAME [4|6]      addresses from getaddrinfo, one a line
 *   net as ADDRESS HOST PORT    sends one datagram from ADDRESS, whose own it need not be (needs NET_RAW); a server of UDP prints from whom it heard one
 *   net stay HOST PORT          keeps one connection, sends a line every 100 ms and prints "still" or "cut"
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char host[256];

static void ended(int signal) {
  (void)signal;
  _exit(0);
}

static int waited(int fd, short what, int ms) {
  struct pollfd p = {fd, what, 0};
  return poll(&p, 1, ms) == 1;
}

static int named(struct sockaddr_storage *from, char *out, int size) {
  char text[INET6_ADDRSTRLEN];
  const void *raw = from->ss_family == AF_INET ? (void *)&((struct sockaddr_in *)from)->sin_addr : (void *)&((struct sockaddr_in6 *)from)->sin6_addr;
  inet_ntop(from->ss_family, raw, text, sizeof text);
  return snprintf(out, size, "%s %s\n", host, strncmp(text, "::ffff:", 7) ? text : text + 7);
}

static int protocol_of(const char *name) { return strncmp(name, "sctp", 4) ? 0 : IPPROTO_SCTP; }

static int serve(int count, char **specs) {
  struct pollfd fds[16];
  int udp[16];
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  signal(SIGTERM, ended); /* PID 1 has no default actions */
  for (int i = 0; i < count; i++) {
    udp[i] = strncmp(specs[i], "udp:", 4) == 0;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(strchr(specs[i], ':') + 1))};
    int one = 1, zero = 0, fd = socket(AF_INET6, udp[i] ? SOCK_DGRAM : SOCK_STREAM, protocol_of(specs[i]));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(fd, (void *)&any, sizeof any) || (!udp[i] && listen(fd, 512))) { perror(specs[i]); return 1; }
    fds[i] = (struct pollfd){fd, POLLIN, 0};
  }
  for (;;) {
    if (poll(fds, count, -1) < 0) continue;
    for (int i = 0; i < count; i++) {
      if (!(fds[i].revents & POLLIN)) continue;
      struct sockaddr_storage from;
      socklen_t size = sizeof from;
      char body[512], request[2048], answer[1024];
      if (udp[i]) {
        if (recvfrom(fds[i].fd, request, sizeof request, 0, (void *)&from, &size) < 0) continue;
        int length = named(&from, body, sizeof body);
        if (!strncmp(request, "as", 2)) printf("heard %s", strchr(body, ' ') + 1);
        sendto(fds[i].fd, body, length, 0, (void *)&from, size);
        continue;
      }
      int fd = accept(fds[i].fd, (void *)&from, &size);
      if (fd < 0) continue;
      ssize_t got = waited(fd, POLLIN, 2000) ? read(fd, request, sizeof request - 1) : 0;
      if (got > 4 && strncmp(request, "stay", 4) == 0) { /* a long connection has a process of its own */
        if (fork() == 0) { do { if (write(fd, request, got) < 0) _exit(0); got = read(fd, request, sizeof request); } while (got > 0); _exit(0); }
      } else if (got > 0) {
        int length = named(&from, body, sizeof body);
        int head = snprintf(answer, sizeof answer, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", length, body);
        if (write(fd, answer, head) < 0) perror("write");
      }
      close(fd);
    }
  }
}

static int open_to(const char *name, const char *port, int type, int protocol) {
  struct addrinfo hints = {.ai_socktype = type}, *found;
  int failed = getaddrinfo(name, port, &hints, &found);
  if (failed) { printf("unknown: %s\n", gai_strerror(failed)); return -1; }
  int fd = socket(found->ai_family, type | SOCK_NONBLOCK, protocol), error = 0;
  socklen_t size = sizeof error;
  if (connect(fd, found->ai_addr, found->ai_addrlen) && errno == EINPROGRESS) {
    if (!waited(fd, POLLOUT, 2000)) error = ETIMEDOUT; else getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  freeaddrinfo(found);
  if (error) { close(fd); printf("%s\n", error == ETIMEDOUT ? "timeout" : error == ECONNREFUSED ? "refused" : strerror(error)); return -1; }
  return fd;
}

/* The answer's last line, in `line`; 0 for none. */
static int once(int fd, char *line, int size) {
  int got = 0, part;
  if (write(fd, "GET / HTTP/1.0\r\n\r\n", 18) != 18) { close(fd); printf("%s\n", errno == ECONNREFUSED ? "refused" : "reset"); return 0; }
  while (waited(fd, POLLIN, 2000) && (part = read(fd, line + got, size - 1 - got)) > 0) { got += part; if (line[got - 1] == '\n' && strncmp(line, "HTTP", 4)) break; if (strstr(line, "\r\n\r\n") && line[got - 1] == '\n' && line[got - 2] != '\r') break; }
  int refused = got == 0 && errno == ECONNREFUSED;
  close(fd);
  line[got] = 0;
  if (got == 0) { printf("%s\n", refused ? "refused" : "timeout"); return 0; }
  char *body = strstr(line, "\r\n\r\n");
  if (body) memmove(line, body + 4, strlen(body + 4) + 1);
  return 1;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  char line[2048];
  setvbuf(stdout, NULL, _IOLBF, 0);
  gethostname(host, sizeof host);
  const char *mode = argc > 1 ? argv[1] : "";
  if (!strcmp(mode, "serve")) return serve(argc - 2, argv + 2);
  if (!strcmp(mode, "ask") && argc >= 5) {
    int type = strcmp(argv[2], "udp") ? SOCK_STREAM : SOCK_DGRAM, good = 0, n = argc > 5 ? atoi(argv[5]) : 1;
    for (int i = 0; i < n; i++) {
      int fd = open_to(argv[3], argv[4], type, protocol_of(argv[2]));
      if (fd >= 0 && once(fd, line, sizeof line)) { printf("%s", line); good++; }
    }
    return good == n ? 0 : 1;
  }
  if (!strcmp(mode, "load") && argc >= 6) {
    int ok = 0, failed = 0, n = atoi(argv[4]);
    double began = now(), rate = atof(argv[5]);
    for (int i = 0; i < n; i++) {
      double due = began + i * 1000 / rate - now();
      if (due > 0) usleep(due * 1000);
      int fd = open_to(argv[2], argv[3], SOCK_STREAM, 0);
      if (fd >= 0 && once(fd, line, sizeof line)) ok++; else failed++;
    }
    printf("ok=%d failed=%d ms=%.0f\n", ok, failed, now() - began);
    return failed > 0;
  }
  if (!strcmp(mode, "stay") && argc >= 4) {
    int fd = open_to(argv[2], argv[3], SOCK_STREAM, 0);
    if (fd < 0) return 1;
    for (;;) {
      if (write(fd, "stay\n", 5) != 5 || !waited(fd, POLLIN, 1500) || read(fd, line, sizeof line) <= 0) { printf("cut\n"); return 0; }
      printf("still\n");
      usleep(100000);
    }
  }
  if (!strcmp(mode, "flow") && argc >= 5) {
    int fd = open_to(argv[2], argv[3], SOCK_DGRAM, 0);
    for (int i = atoi(argv[4]); fd >= 0 && i > 0; i--) {
      int got = write(fd, "flow\n", 5) == 5 && waited(fd, POLLIN, 500) ? read(fd, line, sizeof line - 1) : 0;
      line[got > 0 ? got : 0] = 0;
      printf("%s", got > 0 ? line : "timeout\n");
      usleep(50000);
    }
    return 0;
  }
  if (!strcmp(mode, "as") && argc >= 5) {
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *own, *to;
    if (getaddrinfo(argv[2], "0", &hints, &own) || getaddrinfo(argv[3], argv[4], &hints, &to)) return 2;
    int one = 1, six = own->ai_family == AF_INET6, fd = socket(own->ai_family, SOCK_DGRAM, 0);
    if (setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TRANSPARENT : IP_TRANSPARENT, &one, sizeof one) || bind(fd, own->ai_addr, own->ai_addrlen) || sendto(fd, "as\n", 3, 0, to->ai_addr, to->ai_addrlen) != 3) { perror("as"); return 1; }
    return 0;
  }
  if (!strcmp(mode, "resolve") && argc >= 3) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = argc < 4 ? AF_UNSPEC : *argv[3] == '6' ? AF_INET6 : AF_INET}, *found, *each;
    int failed = getaddrinfo(argv[2], NULL, &hints, &found);
    if (failed) { printf("unknown: %s\n", gai_strerror(failed)); return 1; }
    for (each = found; each; each = each->ai_next)
      if (!getnameinfo(each->ai_addr, each->ai_addrlen, line, sizeof line, NULL, 0, NI_NUMERICHOST)) puts(line);
    return 0;
  }
  fprintf(stderr, "usage: net serve|ask|load|flow|as|stay|resolve …\n");
  return 2;
}
