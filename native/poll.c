/* Readiness, on the loop of the thread that owns the descriptor. */
#include "native.h"

#include <errno.h>
#include <stdlib.h>

/* On the heap by itself: libuv keeps the handle until its close callback, which may come after the descriptor is gone. */
struct poller {
  uv_poll_t handle;
  struct instance *home;
  int events;
  napi_ref listener;
  napi_ref self; /* who listens must not be collected */
};

static void on_closed(uv_handle_t *handle) {
  struct poller *poller = (struct poller *)handle;
  instance_release(poller->home);
  free(poller);
}

void poll_end(struct descriptor *descriptor) {
  struct poller *poller = descriptor->poller;
  if (poller == NULL) return;
  descriptor->poller = NULL;
  /* One that was never made is NULL, which is refused without harm. */
  napi_delete_reference(poller->home->env, poller->listener);
  napi_delete_reference(poller->home->env, poller->self);
  uv_close((uv_handle_t *)&poller->handle, on_closed);
}

/* An exception in a listener goes the way of any other: to 'uncaughtException', not to abort. */
static void report_exception(napi_env env) {
  bool pending = false;
  napi_value error;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
}

static void on_ready(uv_poll_t *handle, int status, int events) {
  struct poller *poller = (struct poller *)handle;
  napi_env env = poller->home->env;
  napi_handle_scope scope;
  napi_value self, listener, argument;
  if (status < 0) {
    /*
     * libuv reports a pending socket error (an overrun of netlink, an ICMP error) as UV_EBADF and stops polling. The
     * owner learns the error from its next receive, and wants to hear of what comes after it.
     */
    events = poller->events;
    (void)uv_poll_start(handle, events, on_ready);
  }
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, poller->self, &self) == napi_ok &&
      napi_get_reference_value(env, poller->listener, &listener) == napi_ok &&
      napi_create_int32(env, events, &argument) == napi_ok) {
    /* The listener may close the descriptor: nothing of the poller is touched after it. */
    (void)napi_make_callback(env, NULL, self, listener, 1, &argument, NULL);
    report_exception(env);
  }
  napi_close_handle_scope(env, scope);
}

static int begin(struct descriptor *descriptor, napi_value self, napi_value listener, int events) {
  struct instance *home = descriptor->home;
  struct poller *poller = calloc(1, sizeof *poller);
  if (poller == NULL) return -ENOMEM;
  poller->home = home;
  poller->events = events;
  int result = uv_poll_init(home->loop, &poller->handle, descriptor->fd);
  if (result < 0) {
    free(poller);
    return result;
  }
  home->uses += 1;
  descriptor->poller = poller;
  if (descriptor->unreferenced) uv_unref((uv_handle_t *)&poller->handle);
  bool kept = napi_create_reference(home->env, self, 1, &poller->self) == napi_ok &&
              napi_create_reference(home->env, listener, 1, &poller->listener) == napi_ok;
  result = kept ? uv_poll_start(&poller->handle, events, on_ready) : -ENOMEM;
  if (result < 0) poll_end(descriptor);
  return result;
}

/* poll(events, listener): 1 readable, 2 writable, as libuv's; poll(0) ends it. */
napi_value poll_listen(napi_env env, napi_callback_info info) {
  napi_value arguments[2], self;
  napi_valuetype type;
  int events;
  struct descriptor *descriptor = receiver_of(env, info, 2, arguments);
  if (descriptor == NULL) return NULL;
  if (read_integer(env, arguments[0], 0, UV_READABLE | UV_WRITABLE, &events) < 0 ||
      napi_typeof(env, arguments[1], &type) != napi_ok || (events != 0 && type != napi_function) ||
      napi_get_cb_info(env, info, NULL, NULL, &self, NULL) != napi_ok) {
    return answer(env, -EINVAL);
  }
  if (descriptor->fd < 0) return answer(env, -EBADF);
  poll_end(descriptor);
  return answer(env, events == 0 ? 0 : begin(descriptor, self, arguments[1], events));
}

static napi_value set_unreferenced(napi_env env, napi_callback_info info, bool unreferenced) {
  struct descriptor *descriptor = receiver_of(env, info, 0, NULL);
  if (descriptor == NULL) return NULL;
  if (descriptor->fd < 0) return answer(env, -EBADF);
  descriptor->unreferenced = unreferenced;
  if (descriptor->poller != NULL) {
    (unreferenced ? uv_unref : uv_ref)((uv_handle_t *)&descriptor->poller->handle);
  }
  return answer(env, 0);
}

/* Whether listening keeps the thread alive: yes after ref (the default), no after unref. */
napi_value poll_ref(napi_env env, napi_callback_info info) {
  return set_unreferenced(env, info, false);
}

napi_value poll_unref(napi_env env, napi_callback_info info) {
  return set_unreferenced(env, info, true);
}
