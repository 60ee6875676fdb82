/*
 * The native part: descriptors for JavaScript, and nothing of the domain. Byte layouts (socket addresses, options,
 * messages) are made and read in TypeScript.
 *
 * Every call answers with a number: what it did, or -errno. A wrong argument is -EINVAL, a closed descriptor -EBADF.
 * Nothing here throws but the constructor and a call on a foreign object (TypeError). No state outlives its
 * environment, so that worker threads can load, use and leave it at any time.
 */
#ifndef LVSENTRY_NATIVE_H
#define LVSENTRY_NATIVE_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

/* The most messages that one sendBatch or recvBatch moves: they stand on the stack. */
#define BATCH_MAX 256

struct descriptor;
struct poller;
struct connector;

/* What one environment (the main thread, or one worker) owns. Touched by its own thread only. */
struct instance {
  napi_env env;
  uv_loop_t *loop;
  napi_ref constructor;
  struct descriptor *first;
  napi_async_cleanup_hook_handle cleanup;
  /* The environment itself, and each poll handle that libuv has not closed yet; freed when none is left. */
  size_t uses;
};

struct descriptor {
  int fd; /* -1 before it is opened and after it was closed */
  int receive_flags; /* of recvmsg; 0 for a timer, which has no messages */
  bool unreferenced;
  struct instance *home; /* NULL once the environment has ended */
  struct descriptor *previous;
  struct descriptor *next;
  struct poller *poller; /* NULL while nobody listens */
  struct connector *connector; /* NULL but for one of openConnector */
};

struct bytes {
  uint8_t *data;
  size_t length;
};

struct integers {
  int32_t *data;
  size_t length;
};

/* Where a socket comes from; all of it may be left out. */
struct origin {
  int mark; /* 0: none */
  struct bytes device; /* the name of an interface, without a NUL */
  struct bytes source; /* a struct sockaddr_* */
};

/* arguments.c: each reader gives 0 or -EINVAL, and runs no JavaScript. */
int read_bytes(napi_env env, napi_value value, struct bytes *out);
int read_optional_bytes(napi_env env, napi_value value, struct bytes *out);
int read_integers(napi_env env, napi_value value, struct integers *out);
int read_integer(napi_env env, napi_value value, int minimum, int maximum, int *out);
int read_path(napi_env env, napi_value value, char *out, size_t size);
/* The same, into `out`; `path` becomes NULL where there is none. */
int read_optional_path(napi_env env, napi_value value, char *out, size_t size, const char **path);
napi_value answer(napi_env env, int64_t value);
napi_value answer_of(napi_env env, ssize_t result);
/* The descriptor that a method was called on, and its arguments; NULL with a TypeError pending where it is none. */
struct descriptor *receiver_of(napi_env env, napi_callback_info info, size_t count, napi_value *arguments);

/* descriptor.c */
napi_value define_descriptor(napi_env env, struct instance *home);
napi_value new_descriptor(napi_env env, struct instance *home, int fd, int receive_flags);
int descriptor_close(struct descriptor *descriptor);
void descriptor_leave(struct descriptor *descriptor);

/* message.c */
napi_value message_send(napi_env env, napi_callback_info info);
napi_value message_receive(napi_env env, napi_callback_info info);
napi_value message_send_batch(napi_env env, napi_callback_info info);
napi_value message_receive_batch(napi_env env, napi_callback_info info);
napi_value message_transact(napi_env env, napi_callback_info info);

/* poll.c */
napi_value poll_listen(napi_env env, napi_callback_info info);
napi_value poll_ref(napi_env env, napi_callback_info info);
napi_value poll_unref(napi_env env, napi_callback_info info);
void poll_end(struct descriptor *descriptor);

/* connector.c */
napi_value connector_open(napi_env env, struct instance *home, napi_callback_info info);
napi_value connector_start(napi_env env, napi_callback_info info);
napi_value connector_collect(napi_env env, napi_callback_info info);
napi_value connector_stop(napi_env env, napi_callback_info info);
void connector_free(struct connector *connector);

/* origin.c */
int origin_set(int fd, const struct origin *origin);
int socket_in(int domain, int type, int protocol, const char *path);
napi_value origin_open(napi_env env, napi_callback_info info);

/* module.c */
void instance_release(struct instance *home);

#endif
