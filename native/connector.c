/*
 * The connector: many short TCP connections on one epoll descriptor, in batches. It knows no protocol: a connection that
 * only has to stand is closed when it does; what else comes is handed over as bytes. A JavaScript socket costs two to
 * three times what a probe may cost.
 */
#include "native.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SLOTS_MAX 65536
#define PAYLOAD_MAX (64 * 1024)
/* What one readiness brings at most; a slab with less room than the least is full. */
#define CHUNK 16384
#define ROOM_MIN 1024
#define EVENTS_MAX 256
/* Sockets that are kept between connections: more are there only while thousands of servers do not answer. */
#define SPARES_MAX 512

/* A row of `start`: what is asked for, and what came of it. */
enum {
  SLOT, ADDRESS, ADDRESS_LENGTH, SOURCE, SOURCE_LENGTH, DEVICE, DEVICE_LENGTH, PAYLOAD, PAYLOAD_LENGTH, MARK, FLAGS,
  RESULT, MICROS, ROW
};
enum { FLAG_READ = 1, FLAG_FIN = 2 };
/* Results at or above 0. */
enum { PENDING, DONE, CONNECTED };

/* A row of `collect`. */
enum { EVENT_SLOT, EVENT_KIND, EVENT_VALUE, EVENT_MICROS, EVENT_OFFSET, EVENT_ROW };
enum { KIND_CONNECTED = 1, KIND_DONE, KIND_DATA, KIND_END, KIND_FAILED };
/* One readiness makes three rows at most: connected, data, end. */
#define ROWS_PER_EVENT 3

struct slot {
  int fd; /* -1 where there is none; of a slot that is free, a spare one */
  bool busy;
  bool connected;
  bool from_anywhere; /* the socket has no origin of its own */
  bool holds_ack; /* TCP_DEFER_ACCEPT is set */
  int flags;
  sa_family_t family;
  in_port_t port; /* of the target */
  int64_t started;
  uint8_t *payload;
  size_t capacity;
  size_t length;
  size_t sent;
};

struct connector {
  size_t count;
  size_t spares;
  struct slot slots[];
};

static int64_t now_micros(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int32_t since(const struct slot *slot, int64_t now) {
  int64_t elapsed = now - slot->started;
  return elapsed > INT32_MAX ? INT32_MAX : (int32_t)elapsed;
}

/* Closes with a reset, unless the peer is to see an orderly end: no TIME_WAIT is left, and unsent bytes are not waited for. */
static void close_slot(struct slot *slot) {
  static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
  if (slot->fd < 0) return;
  if (slot->busy && (slot->flags & FLAG_FIN) == 0) {
    (void)setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  close(slot->fd);
  slot->fd = -1;
  slot->busy = false;
}

/*
 * Ends a connection. Disconnecting resets as closing does (connect(2), AF_UNSPEC; tcp_disconnect of the kernel), and leaves
 * a socket for the next one: making, watching and freeing one costs a fifth of what a probe does.
 */
static void end_slot(struct connector *connector, struct slot *slot) {
  static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  if (!slot->busy) return;
  bool is_spare = slot->connected && slot->from_anywhere && (slot->flags & FLAG_FIN) == 0 &&
                  connector->spares < SPARES_MAX && connect(slot->fd, &nobody, sizeof nobody) == 0;
  if (!is_spare) {
    close_slot(slot);
    return;
  }
  slot->busy = false;
  connector->spares += 1;
}

void connector_free(struct connector *connector) {
  if (connector == NULL) return;
  for (size_t index = 0; index < connector->count; index += 1) {
    close_slot(&connector->slots[index]);
    free(connector->slots[index].payload);
  }
  free(connector);
}

/* openConnector(slots) -> Descriptor, or -errno */
napi_value connector_open(napi_env env, struct instance *home, napi_callback_info info) {
  napi_value argument, self;
  size_t argument_count = 1;
  int count;
  if (napi_get_cb_info(env, info, &argument_count, &argument, NULL, NULL) != napi_ok ||
      read_integer(env, argument, 1, SLOTS_MAX, &count) < 0) {
    return answer(env, -EINVAL);
  }
  struct connector *connector = calloc(1, sizeof *connector + (size_t)count * sizeof *connector->slots);
  if (connector == NULL) return answer(env, -ENOMEM);
  connector->count = (size_t)count;
  for (size_t index = 0; index < connector->count; index += 1) connector->slots[index].fd = -1;
  int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) {
    free(connector);
    return answer(env, -errno);
  }
  self = new_descriptor(env, home, fd, 0);
  void *wrapped;
  if (self == NULL || napi_unwrap(env, self, &wrapped) != napi_ok) {
    free(connector);
    return NULL;
  }
  ((struct descriptor *)wrapped)->connector = connector;
  return self;
}

/* Whether [offset, offset + length) lies in the slab, and how long it may be. */
static bool is_span(const struct bytes *slab, int32_t offset, int32_t length, size_t most) {
  return offset >= 0 && length >= 0 && (size_t)length <= most && (size_t)offset + (size_t)length <= slab->length;
}

static bool is_request(const struct bytes *slab, const int32_t *row, size_t slots) {
  return row[SLOT] >= 0 && (size_t)row[SLOT] < slots && row[ADDRESS_LENGTH] >= (int32_t)sizeof(struct sockaddr_in) &&
         is_span(slab, row[ADDRESS], row[ADDRESS_LENGTH], sizeof(struct sockaddr_storage)) &&
         is_span(slab, row[SOURCE], row[SOURCE_LENGTH], sizeof(struct sockaddr_storage)) &&
         is_span(slab, row[DEVICE], row[DEVICE_LENGTH], IFNAMSIZ - 1) &&
         is_span(slab, row[PAYLOAD], row[PAYLOAD_LENGTH], PAYLOAD_MAX) && (row[FLAGS] & ~(FLAG_READ | FLAG_FIN)) == 0;
}

static int keep_payload(struct slot *slot, const uint8_t *bytes, size_t length) {
  if (length > slot->capacity) {
    uint8_t *grown = realloc(slot->payload, length);
    if (grown == NULL) return -ENOMEM;
    slot->payload = grown;
    slot->capacity = length;
  }
  if (length > 0) memcpy(slot->payload, bytes, length);
  slot->length = length;
  slot->sent = 0;
  return 0;
}

static int set_origin(int fd, const struct bytes *slab, const int32_t *row) {
  const struct origin origin = {
      .mark = row[MARK],
      .device = {slab->data + row[DEVICE], (size_t)row[DEVICE_LENGTH]},
      .source = {slab->data + row[SOURCE], (size_t)row[SOURCE_LENGTH]},
  };
  return origin_set(fd, &origin);
}

/* Linux connects a socket to itself where the target is this host and the kernel chose the very port (RFC 9293 3.5). */
static bool is_self_connected(const struct slot *slot) {
  struct sockaddr_storage own, peer;
  socklen_t own_length = sizeof own, peer_length = sizeof peer;
  if (getsockname(slot->fd, (struct sockaddr *)&own, &own_length) < 0) return false;
  /* The port stands at the same place in sockaddr_in and sockaddr_in6. */
  if (((const struct sockaddr_in *)&own)->sin_port != slot->port) return false;
  return getpeername(slot->fd, (struct sockaddr *)&peer, &peer_length) == 0 && own_length == peer_length &&
         memcmp(&own, &peer, own_length) == 0;
}

/* Sends what is left; what does not fit now goes with the next readiness. 0 or -errno. */
static int send_payload(struct slot *slot) {
  while (slot->sent < slot->length) {
    ssize_t count = send(slot->fd, slot->payload + slot->sent, slot->length - slot->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    slot->sent += (size_t)count;
  }
  return 0;
}

/* The connection stands: DONE, CONNECTED or -errno; but for CONNECTED the slot is free then. */
static int on_connected(struct connector *connector, struct slot *slot) {
  int result = is_self_connected(slot) ? -ECONNREFUSED : send_payload(slot);
  slot->connected = result == 0;
  if (result == 0 && (slot->flags & FLAG_READ) != 0) return CONNECTED;
  if (result == 0) end_slot(connector, slot);
  else close_slot(slot);
  return result < 0 ? result : DONE;
}

/*
 * The last packet of the handshake is held back where something of ours follows it anyway: the payload, or the reset. It is
 * one packet less for both sides, and a server's program does not hear of a probe that only connects. Where the kernel
 * does not do it, that packet is sent, and nothing else changes.
 */
static void hold_ack(struct slot *slot) {
  int holds = (slot->flags & FLAG_FIN) == 0 && ((slot->flags & FLAG_READ) == 0 || slot->length > 0);
  if (holds == slot->holds_ack) return;
  (void)setsockopt(slot->fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &holds, sizeof holds);
  slot->holds_ack = holds;
}

static bool has_origin(const int32_t *row) {
  return row[MARK] != 0 || row[SOURCE_LENGTH] > 0 || row[DEVICE_LENGTH] > 0;
}

/* Has the kernel tell of what comes next, from now on and without another system call: edge-triggered. 0 or -errno. */
static int watch(int epoll, int operation, int fd, uint32_t index) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u32 = index};
  return epoll_ctl(epoll, operation, fd, &event) < 0 ? -errno : 0;
}

/* Gives the slot a socket that is watched: its spare one if that will do. 0 or -errno. */
static int take_socket(int epoll, struct connector *connector, struct slot *slot, sa_family_t family, bool from_anywhere) {
  if (slot->fd >= 0) {
    connector->spares -= 1;
    if (slot->family == family && from_anywhere) return 0;
    close_slot(slot);
  }
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (fd < 0) return -errno;
  int result = watch(epoll, EPOLL_CTL_ADD, fd, (uint32_t)(slot - connector->slots));
  if (result < 0) {
    close(fd);
    return result;
  }
  slot->fd = fd;
  slot->family = family;
  slot->from_anywhere = from_anywhere;
  slot->holds_ack = false;
  return 0;
}

static int begin(int epoll, struct connector *connector, const struct bytes *slab, const int32_t *row) {
  struct slot *slot = &connector->slots[row[SLOT]];
  const uint8_t *address = slab->data + row[ADDRESS];
  sa_family_t family;
  if (slot->busy) return -EBUSY;
  memcpy(&family, address, sizeof family);
  if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
  int result = keep_payload(slot, slab->data + row[PAYLOAD], (size_t)row[PAYLOAD_LENGTH]);
  if (result == 0) result = take_socket(epoll, connector, slot, family, !has_origin(row));
  if (result < 0) return result;
  slot->busy = true;
  slot->connected = false;
  slot->flags = row[FLAGS];
  memcpy(&slot->port, address + offsetof(struct sockaddr_in, sin_port), sizeof slot->port);
  hold_ack(slot);
  if (!slot->from_anywhere) result = set_origin(slot->fd, slab, row);
  if (result == 0 && connect(slot->fd, (const void *)address, (socklen_t)row[ADDRESS_LENGTH]) < 0) result = -errno;
  if (result == -EINPROGRESS) return PENDING;
  if (result == 0) return on_connected(connector, slot);
  close_slot(slot);
  return result;
}

static struct connector *connector_of(struct descriptor *descriptor) {
  return descriptor->fd < 0 ? NULL : descriptor->connector;
}

/*
 * start(rows, slab): begins a connection for each row of 13 integers. RESULT becomes 0 (pending), 1 (stood, and is closed),
 * 2 (stands) or -errno; MICROS the time that took. The answer is the number of rows.
 */
napi_value connector_start(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct integers rows;
  struct bytes slab;
  struct descriptor *descriptor = receiver_of(env, info, 2, arguments);
  if (descriptor == NULL) return NULL;
  if (read_integers(env, arguments[0], &rows) < 0 || read_bytes(env, arguments[1], &slab) < 0 ||
      rows.length % ROW != 0) {
    return answer(env, -EINVAL);
  }
  struct connector *connector = connector_of(descriptor);
  if (connector == NULL) return answer(env, descriptor->fd < 0 ? -EBADF : -EINVAL);
  for (size_t at = 0; at < rows.length; at += ROW) {
    int32_t *row = rows.data + at;
    if (!is_request(&slab, row, connector->count)) {
      row[RESULT] = -EINVAL;
      continue;
    }
    struct slot *slot = &connector->slots[row[SLOT]];
    int64_t started = now_micros();
    /* Of a slot that is busy the time goes on. */
    if (!slot->busy) slot->started = started;
    row[RESULT] = begin(descriptor->fd, connector, &slab, row);
    row[MICROS] = row[RESULT] == PENDING ? 0 : (int32_t)(now_micros() - started);
  }
  return answer(env, (int64_t)(rows.length / ROW));
}

/* What is collected, and into what. */
struct harvest {
  int epoll;
  struct connector *connector;
  int32_t *row;
  struct bytes slab;
  size_t used;
  int64_t now;
};

static void tell(struct harvest *harvest, const struct slot *slot, int kind, int32_t value) {
  int32_t *row = harvest->row;
  row[EVENT_SLOT] = (int32_t)(slot - harvest->connector->slots);
  row[EVENT_KIND] = kind;
  row[EVENT_VALUE] = value;
  row[EVENT_MICROS] = since(slot, harvest->now);
  row[EVENT_OFFSET] = (int32_t)harvest->used;
  harvest->row += EVENT_ROW;
}

static void fail_slot(struct harvest *harvest, struct slot *slot, int error) {
  tell(harvest, slot, KIND_FAILED, error);
  close_slot(slot);
}

static int pending_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

/* There is more than was taken: has the kernel tell of it again. */
static void again(const struct harvest *harvest, const struct slot *slot) {
  (void)watch(harvest->epoll, EPOLL_CTL_MOD, slot->fd, (uint32_t)(slot - harvest->connector->slots));
}

static void receive(struct harvest *harvest, struct slot *slot, uint32_t events) {
  size_t room = harvest->slab.length - harvest->used;
  if (room < ROOM_MIN) {
    again(harvest, slot);
    return;
  }
  size_t wanted = room < CHUNK ? room : CHUNK;
  ssize_t count = recv(slot->fd, harvest->slab.data + harvest->used, wanted, MSG_DONTWAIT);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) fail_slot(harvest, slot, errno);
    return;
  }
  if (count > 0) {
    tell(harvest, slot, KIND_DATA, (int32_t)count);
    harvest->used += (size_t)count;
    /* A read that came short has taken all, but for the end of the stream. */
    if ((size_t)count == wanted) again(harvest, slot);
    else if ((events & EPOLLRDHUP) != 0) count = 0;
  }
  if (count == 0) {
    tell(harvest, slot, KIND_END, 0);
    end_slot(harvest->connector, slot);
  }
}

static void on_event(struct harvest *harvest, struct slot *slot, uint32_t events) {
  if ((events & EPOLLERR) != 0) {
    int error = pending_error(slot->fd);
    if (error != 0) {
      fail_slot(harvest, slot, error);
      return;
    }
  }
  if (!slot->connected) {
    int result = on_connected(harvest->connector, slot);
    if (result < 0) tell(harvest, slot, KIND_FAILED, -result);
    else tell(harvest, slot, result == DONE ? KIND_DONE : KIND_CONNECTED, 0);
    if (result != CONNECTED) return;
  } else if (slot->sent < slot->length && (events & EPOLLOUT) != 0) {
    int result = send_payload(slot);
    if (result < 0) {
      fail_slot(harvest, slot, -result);
      return;
    }
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) receive(harvest, slot, events);
}

/* Takes what is ready, as much as `most`; the number of events, or -errno. */
static int harvest_ready(struct harvest *harvest, size_t most) {
  struct epoll_event events[EVENTS_MAX];
  int count = epoll_wait(harvest->epoll, events, (int)(most < EVENTS_MAX ? most : EVENTS_MAX), 0);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  harvest->now = now_micros();
  for (int at = 0; at < count; at += 1) {
    struct slot *slot = &harvest->connector->slots[events[at].data.u32];
    /* The end of a connection is told of its spare socket too. */
    if (slot->busy) on_event(harvest, slot, events[at].events);
  }
  return count;
}

/*
 * collect(rows, slab): what happened, as rows of 5 integers: slot, kind (1 stands, 2 stood and is closed, 3 bytes came,
 * 4 the peer has ended, 5 failed), value (bytes, errno), microseconds since its start, offset of the bytes in the slab.
 * After 2, 4 and 5 the slot is free. The answer is the number of rows: 0 where nothing is left to tell.
 */
napi_value connector_collect(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct integers rows;
  struct bytes slab;
  struct descriptor *descriptor = receiver_of(env, info, 2, arguments);
  if (descriptor == NULL) return NULL;
  if (read_integers(env, arguments[0], &rows) < 0 || read_bytes(env, arguments[1], &slab) < 0 ||
      rows.length < ROWS_PER_EVENT * EVENT_ROW || slab.length < ROOM_MIN || slab.length > INT32_MAX) {
    return answer(env, -EINVAL);
  }
  struct connector *connector = connector_of(descriptor);
  if (connector == NULL) return answer(env, descriptor->fd < 0 ? -EBADF : -EINVAL);
  struct harvest harvest = {
      .epoll = descriptor->fd, .connector = connector, .row = rows.data, .slab = slab, .used = 0, .now = 0};
  size_t spares;
  int count;
  /* What became spare is ready once more, to say that its connection has ended: left there, it would wake the thread. */
  do {
    spares = connector->spares;
    size_t used = (size_t)(harvest.row - rows.data);
    count = harvest_ready(&harvest, (rows.length - used) / (ROWS_PER_EVENT * EVENT_ROW));
  } while (connector->spares > spares && rows.length - (size_t)(harvest.row - rows.data) >= ROWS_PER_EVENT * EVENT_ROW);
  if (count < 0 && harvest.row == rows.data) return answer(env, count);
  return answer(env, (harvest.row - rows.data) / EVENT_ROW);
}

/* stop(slots): closes what is under way in these slots; one that is free already stays so. */
napi_value connector_stop(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct integers slots;
  struct descriptor *descriptor = receiver_of(env, info, 1, arguments);
  if (descriptor == NULL) return NULL;
  if (read_integers(env, arguments[0], &slots) < 0) return answer(env, -EINVAL);
  struct connector *connector = connector_of(descriptor);
  if (connector == NULL) return answer(env, descriptor->fd < 0 ? -EBADF : -EINVAL);
  for (size_t at = 0; at < slots.length; at += 1) {
    if (slots.data[at] < 0 || (size_t)slots.data[at] >= connector->count) return answer(env, -EINVAL);
  }
  for (size_t at = 0; at < slots.length; at += 1) end_slot(connector, &connector->slots[slots.data[at]]);
  return answer(env, 0);
}
