/* Where a probe comes from: the mark, interface, address and network namespace of its socket. */
#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

int origin_set(int fd, const struct origin *origin) {
  static const int yes = 1;
  if (origin->mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &origin->mark, sizeof origin->mark) < 0) return -errno;
  if (origin->device.length > 0 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, origin->device.data,
                                              (socklen_t)origin->device.length) < 0) {
    return -errno;
  }
  if (origin->source.length == 0) return 0;
  /* The port is chosen by connect then, which knows the target; bind would look for one that is free for all. */
  (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  return bind(fd, (const void *)origin->source.data, (socklen_t)origin->source.length) < 0 ? -errno : 0;
}

/* A socket belongs to the namespace that its thread was in when it was made. Nothing else of the thread changes. */
int socket_in(int domain, int type, int protocol, const char *path) {
  if (path == NULL) {
    int own = socket(domain, type, protocol);
    return own < 0 ? -errno : own;
  }
  int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0) return -errno;
  int there = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int fd = there < 0 || setns(there, CLONE_NEWNET) < 0 ? -errno : 0;
  if (there >= 0) close(there);
  if (fd == 0) {
    fd = socket(domain, type, protocol);
    if (fd < 0) fd = -errno;
    if (setns(home, CLONE_NEWNET) < 0) {
      if (fd >= 0) close(fd);
      fd = -ENOTRECOVERABLE;
    }
  }
  close(home);
  return fd;
}

/*
 * openOrigin(domain, type, mark, device, source, namespace) -> the number of a socket that is not connected, which the
 * caller closes, or -errno. `device` and `source` may be empty; without a namespace it is the thread's own.
 * -ENOTRECOVERABLE: the thread could not come back from the namespace, and must end.
 */
napi_value origin_open(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  size_t count = 6;
  int domain, type, mark;
  struct origin origin = {0};
  char text[PATH_MAX];
  const char *namespace;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok ||
      read_integer(env, arguments[0], 0, INT_MAX, &domain) < 0 || read_integer(env, arguments[1], 0, INT_MAX, &type) < 0 ||
      read_integer(env, arguments[2], INT_MIN, INT_MAX, &mark) < 0 ||
      read_bytes(env, arguments[3], &origin.device) < 0 || read_bytes(env, arguments[4], &origin.source) < 0 ||
      read_optional_path(env, arguments[5], text, sizeof text, &namespace) < 0 ||
      origin.device.length > IFNAMSIZ - 1 || origin.source.length > sizeof(struct sockaddr_storage)) {
    return answer(env, -EINVAL);
  }
  if (domain != AF_INET && domain != AF_INET6) return answer(env, -EAFNOSUPPORT);
  if (type != SOCK_STREAM && type != SOCK_DGRAM) return answer(env, -ESOCKTNOSUPPORT);
  origin.mark = mark;
  int fd = socket_in(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, namespace);
  if (fd < 0) return answer(env, fd);
  int result = origin_set(fd, &origin);
  if (result < 0) {
    close(fd);
    return answer(env, result);
  }
  return answer(env, fd);
}
