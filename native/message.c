/* Sending and receiving on the caller's buffers. Nothing here waits. */
#include "native.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL)

/* Bytes received, or -errno; -EMSGSIZE where the datagram was cut. */
static ssize_t receive_one(const struct descriptor *descriptor, struct msghdr *message) {
  ssize_t count = recvmsg(descriptor->fd, message, descriptor->receive_flags);
  if (count < 0) return -errno;
  return (message->msg_flags & MSG_TRUNC) != 0 ? -EMSGSIZE : count;
}

static void set_address(struct msghdr *message, struct bytes address) {
  message->msg_name = address.length > 0 ? address.data : NULL;
  message->msg_namelen = (socklen_t)address.length;
}

static void set_control(struct msghdr *message, struct bytes control) {
  message->msg_control = control.length > 0 ? control.data : NULL;
  message->msg_controllen = control.length;
}

/* send(bytes, to?, control?) -> bytes sent */
napi_value message_send(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct bytes bytes, to, control;
  struct descriptor *descriptor = receiver_of(env, info, 3, arguments);
  if (descriptor == NULL) return NULL;
  if (read_bytes(env, arguments[0], &bytes) < 0 || read_optional_bytes(env, arguments[1], &to) < 0 ||
      read_optional_bytes(env, arguments[2], &control) < 0 || to.length > sizeof(struct sockaddr_storage)) {
    return answer(env, -EINVAL);
  }
  struct iovec part = {bytes.data, bytes.length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  set_address(&message, to);
  set_control(&message, control);
  return answer_of(env, sendmsg(descriptor->fd, &message, SEND_FLAGS));
}

/* receive(into, from?, control?, facts?) -> bytes received; facts = [length of from, length of control, flags] */
napi_value message_receive(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  napi_valuetype type;
  struct bytes into, from, control;
  struct integers facts = {NULL, 0};
  struct descriptor *descriptor = receiver_of(env, info, 4, arguments);
  if (descriptor == NULL) return NULL;
  if (read_bytes(env, arguments[0], &into) < 0 || read_optional_bytes(env, arguments[1], &from) < 0 ||
      read_optional_bytes(env, arguments[2], &control) < 0 || from.length > sizeof(struct sockaddr_storage) ||
      napi_typeof(env, arguments[3], &type) != napi_ok) {
    return answer(env, -EINVAL);
  }
  if (type != napi_undefined && (read_integers(env, arguments[3], &facts) < 0 || facts.length < 3)) {
    return answer(env, -EINVAL);
  }
  struct iovec part = {into.data, into.length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  set_address(&message, from);
  set_control(&message, control);
  ssize_t count = receive_one(descriptor, &message);
  if (facts.data != NULL && (count >= 0 || count == -EMSGSIZE)) {
    facts.data[0] = (int32_t)message.msg_namelen;
    facts.data[1] = (int32_t)message.msg_controllen;
    facts.data[2] = message.msg_flags & ~MSG_CMSG_CLOEXEC; /* the kernel echoes it */
  }
  return answer(env, count);
}

/* Whether `length` bytes from `offset` lie within `limit`. */
static bool is_within(int32_t offset, int32_t length, size_t limit) {
  return offset >= 0 && length >= 0 && (size_t)offset <= limit && (size_t)length <= limit - (size_t)offset;
}

/*
 * sendBatch(slab, spans) -> messages sent
 * spans: four integers a message: offset and length of its bytes in slab, offset and length of its address (length 0:
 * the connected peer). All spans are checked before anything is sent.
 */
napi_value message_send_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct bytes slab;
  struct integers spans;
  struct mmsghdr messages[BATCH_MAX];
  struct iovec parts[BATCH_MAX];
  struct descriptor *descriptor = receiver_of(env, info, 2, arguments);
  if (descriptor == NULL) return NULL;
  if (read_bytes(env, arguments[0], &slab) < 0 || read_integers(env, arguments[1], &spans) < 0 ||
      spans.length % 4 != 0 || spans.length / 4 > BATCH_MAX) {
    return answer(env, -EINVAL);
  }
  size_t count = spans.length / 4;
  memset(messages, 0, count * sizeof *messages);
  for (size_t index = 0; index < count; index += 1) {
    const int32_t *span = spans.data + index * 4;
    if (!is_within(span[0], span[1], slab.length) || !is_within(span[2], span[3], slab.length) ||
        (size_t)span[3] > sizeof(struct sockaddr_storage)) {
      return answer(env, -EINVAL);
    }
    parts[index] = (struct iovec){slab.data + span[0], (size_t)span[1]};
    messages[index].msg_hdr.msg_iov = &parts[index];
    messages[index].msg_hdr.msg_iovlen = 1;
    set_address(&messages[index].msg_hdr, (struct bytes){slab.data + span[2], (size_t)span[3]});
  }
  return answer_of(env, sendmmsg(descriptor->fd, messages, (unsigned)count, SEND_FLAGS));
}

/*
 * receiveBatch(slab, stride, addressSize, results) -> messages received
 * slab is cut into slots of `stride` bytes: `addressSize` bytes for the sender's address, then the message.
 * results: two integers a message: its length or -EMSGSIZE, and the length of the address.
 */
napi_value message_receive_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  struct bytes slab;
  struct integers results;
  struct mmsghdr messages[BATCH_MAX];
  struct iovec parts[BATCH_MAX];
  int stride, address_size;
  struct descriptor *descriptor = receiver_of(env, info, 4, arguments);
  if (descriptor == NULL) return NULL;
  if (read_bytes(env, arguments[0], &slab) < 0 || read_integer(env, arguments[1], 1, INT32_MAX, &stride) < 0 ||
      read_integer(env, arguments[2], 0, (int)sizeof(struct sockaddr_storage), &address_size) < 0 ||
      address_size >= stride || read_integers(env, arguments[3], &results) < 0) {
    return answer(env, -EINVAL);
  }
  size_t count = slab.length / (size_t)stride;
  if (count > results.length / 2) count = results.length / 2;
  if (count > BATCH_MAX) count = BATCH_MAX;
  if (count == 0) return answer(env, -EINVAL);
  memset(messages, 0, count * sizeof *messages);
  for (size_t index = 0; index < count; index += 1) {
    uint8_t *slot = slab.data + index * (size_t)stride;
    parts[index] = (struct iovec){slot + address_size, (size_t)(stride - address_size)};
    messages[index].msg_hdr.msg_iov = &parts[index];
    messages[index].msg_hdr.msg_iovlen = 1;
    set_address(&messages[index].msg_hdr, (struct bytes){slot, (size_t)address_size});
  }
  int received = recvmmsg(descriptor->fd, messages, (unsigned)count, descriptor->receive_flags, NULL);
  if (received < 0) return answer(env, -errno);
  for (int index = 0; index < received; index += 1) {
    const struct mmsghdr *message = &messages[index];
    results.data[index * 2] = (message->msg_hdr.msg_flags & MSG_TRUNC) != 0 ? -EMSGSIZE : (int32_t)message->msg_len;
    results.data[index * 2 + 1] = (int32_t)message->msg_hdr.msg_namelen;
  }
  return answer(env, received);
}

/*
 * transact(request, into, room, ends) -> datagrams received, after the request was sent
 * The kernel answers netlink inside send, so this is a whole round trip. Datagram i ends at ends[i] in `into`; it begins
 * where the one before ended. An entry below zero is the last: the -errno of a receive that failed. Receiving stops when
 * nothing is there, when `ends` is full or when less than `room` bytes are left. A result below zero: nothing was sent.
 */
napi_value message_transact(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  struct bytes request, into;
  struct integers ends;
  int room;
  struct descriptor *descriptor = receiver_of(env, info, 4, arguments);
  if (descriptor == NULL) return NULL;
  if (read_bytes(env, arguments[0], &request) < 0 || read_bytes(env, arguments[1], &into) < 0 ||
      read_integer(env, arguments[2], 1, INT32_MAX, &room) < 0 || read_integers(env, arguments[3], &ends) < 0 ||
      into.length > INT32_MAX) {
    return answer(env, -EINVAL);
  }
  if (send(descriptor->fd, request.data, request.length, SEND_FLAGS) < 0) return answer(env, -errno);
  size_t at = 0, count = 0;
  while (count < ends.length && into.length - at >= (size_t)room) {
    struct iovec part = {into.data + at, into.length - at};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t received = receive_one(descriptor, &message);
    if (received == -EAGAIN) break;
    if (received < 0) {
      ends.data[count++] = (int32_t)received;
      break;
    }
    at += (size_t)received;
    ends.data[count++] = (int32_t)at;
  }
  return answer(env, (int64_t)count);
}
