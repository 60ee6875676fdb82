/* The class Descriptor: its life, addresses, options and timer. */
#include "native.h"

#include <errno.h>
#include <linux/filter.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The largest option that a datagram socket takes: struct group_source_req (netinet/in.h). */
#define OPTION_MAX sizeof(struct group_source_req)
#define FILTER_MAX 4096 /* BPF_MAXINSNS, linux/bpf_common.h */
/* The farthest timer deadline in milliseconds, some 31,000 years: its nanoseconds are still exact enough. */
#define DEADLINE_MAX 1e15

int descriptor_close(struct descriptor *descriptor) {
  int fd = descriptor->fd;
  if (fd < 0) return -EBADF;
  poll_end(descriptor);
  descriptor->fd = -1;
  /* Linux frees the descriptor even where close reports an error; a second close could hit a stranger's. */
  close(fd);
  connector_free(descriptor->connector);
  descriptor->connector = NULL;
  return 0;
}

/* Closes, and takes it out of its environment's list. */
void descriptor_leave(struct descriptor *descriptor) {
  struct instance *home = descriptor->home;
  (void)descriptor_close(descriptor);
  if (home == NULL) return;
  if (descriptor->previous != NULL) descriptor->previous->next = descriptor->next;
  if (descriptor->next != NULL) descriptor->next->previous = descriptor->previous;
  if (home->first == descriptor) home->first = descriptor->next;
  descriptor->home = NULL;
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  descriptor_leave(data);
  free(data);
}

static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value self, target = NULL;
  void *home;
  if (napi_get_new_target(env, info, &target) != napi_ok || target == NULL ||
      napi_get_cb_info(env, info, NULL, NULL, &self, &home) != napi_ok) {
    napi_throw_type_error(env, NULL, "a descriptor is made by openSocket or openTimer");
    return NULL;
  }
  struct descriptor *descriptor = calloc(1, sizeof *descriptor);
  if (descriptor == NULL || napi_wrap(env, self, descriptor, finalize, NULL, NULL) != napi_ok) {
    free(descriptor);
    napi_throw_error(env, NULL, "no memory for a descriptor");
    return NULL;
  }
  descriptor->fd = -1;
  descriptor->home = home;
  descriptor->next = descriptor->home->first;
  if (descriptor->next != NULL) descriptor->next->previous = descriptor;
  descriptor->home->first = descriptor;
  return self;
}

/* Takes over `fd`: on failure it is closed and an exception is pending. */
napi_value new_descriptor(napi_env env, struct instance *home, int fd, int receive_flags) {
  napi_value constructor, self;
  void *wrapped;
  if (napi_get_reference_value(env, home->constructor, &constructor) != napi_ok ||
      napi_new_instance(env, constructor, 0, NULL, &self) != napi_ok || napi_unwrap(env, self, &wrapped) != napi_ok) {
    close(fd);
    return NULL;
  }
  struct descriptor *descriptor = wrapped;
  descriptor->fd = fd;
  descriptor->receive_flags = receive_flags;
  return self;
}

static napi_value close_method(napi_env env, napi_callback_info info) {
  struct descriptor *descriptor = receiver_of(env, info, 0, NULL);
  return descriptor == NULL ? NULL : answer(env, descriptor_close(descriptor));
}

static napi_value with_address(napi_env env, napi_callback_info info,
                               int (*call)(int, const struct sockaddr *, socklen_t)) {
  napi_value arguments[1];
  struct bytes address;
  struct descriptor *descriptor = receiver_of(env, info, 1, arguments);
  if (descriptor == NULL) return NULL;
  if (read_bytes(env, arguments[0], &address) < 0 || address.length < sizeof(sa_family_t) ||
      address.length > sizeof(struct sockaddr_storage)) {
    return answer(env, -EINVAL);
  }
  return answer_of(env, call(descriptor->fd, (const void *)address.data, (socklen_t)address.length));
}

static napi_value bind_method(napi_env env, napi_callback_info info) {
  return with_address(env, info, bind);
}

static napi_value connect_method(napi_env env, napi_callback_info info) {
  return with_address(env, info, connect);
}

static napi_value getsockname_method(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct bytes into;
  struct descriptor *descriptor = receiver_of(env, info, 1, arguments);
  if (descriptor == NULL) return NULL;
  if (read_bytes(env, arguments[0], &into) < 0 || into.length > INT32_MAX) return answer(env, -EINVAL);
  socklen_t length = (socklen_t)into.length;
  if (getsockname(descriptor->fd, (void *)into.data, &length) < 0) return answer(env, -errno);
  return answer(env, length > into.length ? -EMSGSIZE : (int64_t)length);
}

/*
 * The options that a descriptor takes. Left out are those whose value holds a pointer, or whose length does not count
 * bytes (SO_GET_FILTER counts instructions): the kernel would read or write memory past the caller's buffer.
 */
static bool is_option(int level, int name) {
  switch (level) {
    case SOL_SOCKET:
      return name != SO_ATTACH_FILTER && name != SO_ATTACH_REUSEPORT_CBPF;
    case IPPROTO_IP:
      return name < 64; /* from here on netfilter's, linux/netfilter_ipv4/ip_tables.h IPT_BASE_CTL */
    case IPPROTO_IPV6:
      return name < 64 || name > 69 || name == 66 || name == 67; /* IP6T_SO_*, between IPV6_RECVTCLASS and IPV6_TCLASS */
    case IPPROTO_ICMPV6:
    case IPPROTO_RAW:
    case SOL_NETLINK:
      return true;
    case SOL_PACKET:
      return name != 22; /* PACKET_FANOUT_DATA, linux/if_packet.h */
    default:
      return false;
  }
}

static int read_option(napi_env env, napi_value *arguments, int *level, int *name) {
  if (read_integer(env, arguments[0], 0, INT32_MAX, level) < 0) return -EINVAL;
  if (read_integer(env, arguments[1], 0, INT32_MAX, name) < 0) return -EINVAL;
  return is_option(*level, *name) ? 0 : -EINVAL;
}

static napi_value setsockopt_method(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct bytes value;
  int level, name, number;
  struct descriptor *descriptor = receiver_of(env, info, 3, arguments);
  if (descriptor == NULL) return NULL;
  if (read_option(env, arguments, &level, &name) < 0) return answer(env, -EINVAL);
  if (read_integer(env, arguments[2], INT32_MIN, INT32_MAX, &number) == 0) {
    value = (struct bytes){(uint8_t *)&number, sizeof number};
  } else if (read_bytes(env, arguments[2], &value) < 0 || value.length > OPTION_MAX) {
    return answer(env, -EINVAL);
  }
  return answer_of(env, setsockopt(descriptor->fd, level, name, value.data, (socklen_t)value.length));
}

static napi_value getsockopt_method(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct bytes into;
  int level, name;
  struct descriptor *descriptor = receiver_of(env, info, 3, arguments);
  if (descriptor == NULL) return NULL;
  if (read_option(env, arguments, &level, &name) < 0 || read_bytes(env, arguments[2], &into) < 0 ||
      into.length > INT32_MAX) {
    return answer(env, -EINVAL);
  }
  socklen_t length = (socklen_t)into.length;
  if (getsockopt(descriptor->fd, level, name, into.data, &length) < 0) return answer(env, -errno);
  return answer(env, length > into.length ? -EMSGSIZE : (int64_t)length);
}

/* Attaches a classic BPF program: instructions of 8 bytes (struct sock_filter); the kernel checks them. */
static napi_value attach_filter_method(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct bytes program;
  struct descriptor *descriptor = receiver_of(env, info, 1, arguments);
  if (descriptor == NULL) return NULL;
  if (read_bytes(env, arguments[0], &program) < 0 || program.length == 0 ||
      program.length % sizeof(struct sock_filter) != 0 || program.length / sizeof(struct sock_filter) > FILTER_MAX) {
    return answer(env, -EINVAL);
  }
  struct sock_fprog filter = {
      .len = (unsigned short)(program.length / sizeof(struct sock_filter)),
      .filter = (void *)program.data,
  };
  return answer_of(env, setsockopt(descriptor->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter));
}

/* Arms a timer for an absolute instant of CLOCK_MONOTONIC in milliseconds; 0 disarms it. */
static napi_value set_timer_method(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  double deadline;
  struct descriptor *descriptor = receiver_of(env, info, 1, arguments);
  if (descriptor == NULL) return NULL;
  if (napi_get_value_double(env, arguments[0], &deadline) != napi_ok || !(deadline >= 0 && deadline <= DEADLINE_MAX)) {
    return answer(env, -EINVAL);
  }
  time_t seconds = (time_t)(deadline / 1000);
  struct itimerspec at = {.it_value = {seconds, (long)((deadline - (double)seconds * 1000) * 1e6)}};
  /* A deadline that rounds to zero would disarm; it is long past, so let it fire at once. */
  if (deadline > 0 && seconds == 0 && at.it_value.tv_nsec == 0) at.it_value.tv_nsec = 1;
  return answer_of(env, timerfd_settime(descriptor->fd, TFD_TIMER_ABSTIME, &at, NULL));
}

/* How often the timer has fired since it was last read; -EAGAIN where it has not. */
static napi_value read_timer_method(napi_env env, napi_callback_info info) {
  uint64_t fired;
  struct descriptor *descriptor = receiver_of(env, info, 0, NULL);
  if (descriptor == NULL) return NULL;
  /* Of a socket, read would take a datagram away. */
  if (descriptor->fd >= 0 && descriptor->receive_flags != 0) return answer(env, -EINVAL);
  if (read(descriptor->fd, &fired, sizeof fired) < 0) return answer(env, -errno);
  return answer(env, (int64_t)fired);
}

#define METHOD(name, function) {name, NULL, function, NULL, NULL, NULL, napi_default_method, NULL}

napi_value define_descriptor(napi_env env, struct instance *home) {
  static const napi_property_descriptor methods[] = {
      METHOD("close", close_method),
      METHOD("bind", bind_method),
      METHOD("connect", connect_method),
      METHOD("getsockname", getsockname_method),
      METHOD("setsockopt", setsockopt_method),
      METHOD("getsockopt", getsockopt_method),
      METHOD("attachFilter", attach_filter_method),
      METHOD("setTimer", set_timer_method),
      METHOD("readTimer", read_timer_method),
      METHOD("send", message_send),
      METHOD("receive", message_receive),
      METHOD("sendBatch", message_send_batch),
      METHOD("receiveBatch", message_receive_batch),
      METHOD("transact", message_transact),
      METHOD("start", connector_start),
      METHOD("collect", connector_collect),
      METHOD("stop", connector_stop),
      METHOD("poll", poll_listen),
      METHOD("ref", poll_ref),
      METHOD("unref", poll_unref),
  };
  napi_value constructor;
  if (napi_define_class(env, "Descriptor", NAPI_AUTO_LENGTH, construct, home, sizeof methods / sizeof *methods, methods,
                        &constructor) != napi_ok) {
    return NULL;
  }
  return constructor;
}
