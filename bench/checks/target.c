/* target PORT: accepts every connection, on every address, and answers whatever is said with a small HTTP response. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define BACKLOG 16384

static const char RESPONSE[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

static void watch(int epoll, int fd, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) close(fd);
}

static void accept_all(int epoll, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    watch(epoll, fd, EPOLLIN | EPOLLRDHUP);
  }
}

static void answer(int fd) {
  char heard[4096];
  if (read(fd, heard, sizeof heard) <= 0 || write(fd, RESPONSE, sizeof RESPONSE - 1) < 0) {
    close(fd);
    return;
  }
  shutdown(fd, SHUT_WR);
}

int main(int count, char **words) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(count > 1 ? words[1] : "0"))};
  struct epoll_event events[EVENTS];
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int epoll = epoll_create1(0);
  if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0 || listen(listener, BACKLOG) < 0) {
    perror("target");
    return 1;
  }
  watch(epoll, listener, EPOLLIN);
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int at = 0; at < ready; at += 1) {
      if (events[at].data.fd == listener) accept_all(epoll, listener);
      else answer(events[at].data.fd);
    }
  }
}
