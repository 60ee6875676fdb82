/*
 * bound KIND PORT COUNT: the least that COUNT checks a second cost: connect, for http one request and one read, and a
 * reset. It knows no verdicts, no deadlines and no configuration.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS 256
#define TICKS_PER_SECOND 250

static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
static const struct linger RESET = {.l_onoff = 1, .l_linger = 0};

static void end(int fd) {
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &RESET, sizeof RESET);
  close(fd);
}

static void begin(int epoll, uint32_t address, unsigned short port) {
  struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  int result = connect(fd, (struct sockaddr *)&target, sizeof target);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};
  if ((result < 0 && errno != EINPROGRESS) || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) end(fd);
}

static void proceed(int fd, unsigned events, bool http) {
  char heard[4096];
  if (!http || (events & EPOLLERR) != 0 || ((events & EPOLLIN) != 0 && read(fd, heard, sizeof heard) >= 0)) {
    end(fd);
    return;
  }
  if ((events & EPOLLOUT) != 0 && send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) < 0) end(fd);
}

int main(int words_count, char **words) {
  if (words_count < 4) return 2;
  bool http = strcmp(words[1], "http") == 0;
  unsigned short port = (unsigned short)atoi(words[2]);
  uint32_t count = (uint32_t)atoi(words[3]), next = 0;
  struct epoll_event events[EVENTS];
  struct itimerspec often = {.it_interval.tv_nsec = 1000000000L / TICKS_PER_SECOND, .it_value.tv_nsec = 1};
  int epoll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = timer};
  epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
  timerfd_settime(timer, 0, &often, NULL);
  for (uint64_t ticks, due = 0, begun = 0;;) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int at = 0; at < ready; at += 1) {
      if (events[at].data.fd != timer) proceed(events[at].data.fd, events[at].events, http);
      else if (read(timer, &ticks, sizeof ticks) == sizeof ticks) due += ticks * count;
    }
    for (; begun < due / TICKS_PER_SECOND; begun += 1, next = (next + 1) % count) begin(epoll, 0x7f010000 + next, port);
  }
}
