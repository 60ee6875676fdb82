/* What the module offers beside descriptors, and the life of an environment. */
#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Gives back one use; the last one ends the environment's clean-up. */
void instance_release(struct instance *home) {
  home->uses -= 1;
  if (home->uses > 0) return;
  napi_remove_async_cleanup_hook(home->cleanup);
  free(home);
}

/* Runs when the thread ends, whatever JavaScript left open. Node waits until the last poll handle is closed. */
static void on_environment_end(napi_async_cleanup_hook_handle handle, void *data) {
  struct instance *home = data;
  (void)handle;
  while (home->first != NULL) descriptor_leave(home->first);
  instance_release(home);
}

static struct instance *instance_of(napi_env env) {
  void *data = NULL;
  return napi_get_instance_data(env, &data) == napi_ok ? data : NULL;
}

static int read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments) {
  return napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok ? 0 : -EINVAL;
}

/*
 * openSocket(domain, type, protocol, namespace) -> Descriptor or -errno. Streams are not offered: node:net has them.
 * Without the path of a namespace it is of the thread's own; with one as openOrigin.
 */
static napi_value open_socket(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  int domain, type, protocol;
  char text[PATH_MAX];
  const char *namespace;
  if (read_arguments(env, info, 4, arguments) < 0 || read_integer(env, arguments[0], 0, INT_MAX, &domain) < 0 ||
      read_integer(env, arguments[1], 0, INT_MAX, &type) < 0 ||
      read_integer(env, arguments[2], 0, UINT16_MAX, &protocol) < 0 ||
      read_optional_path(env, arguments[3], text, sizeof text, &namespace) < 0) {
    return answer(env, -EINVAL);
  }
  if (domain != AF_NETLINK && domain != AF_PACKET && domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX) {
    return answer(env, -EAFNOSUPPORT);
  }
  if (type != SOCK_RAW && type != SOCK_DGRAM) return answer(env, -ESOCKTNOSUPPORT);
  int fd = socket_in(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol, namespace);
  /* Only local sockets can be sent descriptors, and packet sockets refuse the flag. */
  int receive_flags = MSG_DONTWAIT | (domain == AF_UNIX ? MSG_CMSG_CLOEXEC : 0);
  return fd < 0 ? answer(env, fd) : new_descriptor(env, instance_of(env), fd, receive_flags);
}

/* openTimer() -> Descriptor of a timer on CLOCK_MONOTONIC, or -errno */
static napi_value open_timer(napi_env env, napi_callback_info info) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  (void)info;
  return fd < 0 ? answer(env, -errno) : new_descriptor(env, instance_of(env), fd, 0);
}

static napi_value open_connector(napi_env env, napi_callback_info info) {
  return connector_open(env, instance_of(env), info);
}

/* openPipe(ends) -> 0 or -errno; `ends` becomes the numbers of the reading and the writing end, which the caller closes */
static napi_value open_pipe(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct integers ends;
  int fds[2];
  if (read_arguments(env, info, 1, &argument) < 0 || read_integers(env, argument, &ends) < 0 || ends.length < 2) {
    return answer(env, -EINVAL);
  }
  if (pipe2(fds, O_CLOEXEC) < 0) return answer(env, -errno);
  ends.data[0] = fds[0];
  ends.data[1] = fds[1];
  return answer(env, 0);
}

/* reapChild(pid) -> 0 while it runs, its number when its exit is taken, or -errno: for children of threads that are gone */
static napi_value reap_child(napi_env env, napi_callback_info info) {
  napi_value argument;
  int pid;
  if (read_arguments(env, info, 1, &argument) < 0 || read_integer(env, argument, 1, INT_MAX, &pid) < 0) {
    return answer(env, -EINVAL);
  }
  return answer_of(env, waitpid(pid, NULL, WNOHANG));
}

/* setScheduler(policy, priority): of the calling thread; policies of sched.h */
static napi_value set_scheduler(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int policy;
  struct sched_param parameters = {0};
  if (read_arguments(env, info, 2, arguments) < 0 || read_integer(env, arguments[0], 0, INT_MAX, &policy) < 0 ||
      read_integer(env, arguments[1], 0, INT_MAX, &parameters.sched_priority) < 0) {
    return answer(env, -EINVAL);
  }
  return answer_of(env, sched_setscheduler(0, policy, &parameters));
}

/* Keeps what is not written to of one program or library where it is once it was used. */
static int lock_object(struct dl_phdr_info *object, size_t size, void *first_error) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  (void)size;
  for (size_t at = 0; at < object->dlpi_phnum; at += 1) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[at];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_W) != 0) continue;
    uintptr_t start = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
    uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_memsz + page - 1) & ~(page - 1);
    if (mlock2((void *)start, end - start, MLOCK_ONFAULT) == 0) continue;
    *(int *)first_error = -errno;
    return 1;
  }
  return 0;
}

/* lockProgram(): code and constants of the process are not paged out; V8 cannot do with a heap that is locked */
static napi_value lock_program(napi_env env, napi_callback_info info) {
  int result = 0;
  (void)info;
  dl_iterate_phdr(lock_object, &result);
  return answer(env, result);
}

/* enterNamespace(path, type): setns of the calling thread alone; type CLONE_NEWNET 0x40000000, or 0 for any */
static napi_value enter_namespace(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  char path[PATH_MAX];
  int type;
  if (read_arguments(env, info, 2, arguments) < 0 || read_path(env, arguments[0], path, sizeof path) < 0 ||
      read_integer(env, arguments[1], 0, INT_MAX, &type) < 0) {
    return answer(env, -EINVAL);
  }
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return answer(env, -errno);
  int result = setns(fd, type) < 0 ? -errno : 0;
  close(fd);
  return answer(env, result);
}

#define FUNCTION(name, function) {name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL}

static napi_value fail(napi_env env, struct instance *home) {
  free(home);
  napi_throw_error(env, NULL, "the native part could not be set up");
  return NULL;
}

NAPI_MODULE_INIT() {
  static const napi_property_descriptor functions[] = {
      FUNCTION("openSocket", open_socket),         FUNCTION("openTimer", open_timer),
      FUNCTION("setScheduler", set_scheduler),     FUNCTION("lockProgram", lock_program),
      FUNCTION("enterNamespace", enter_namespace), FUNCTION("openPipe", open_pipe),
      FUNCTION("openConnector", open_connector),  FUNCTION("openOrigin", origin_open),
      FUNCTION("reapChild", reap_child),
  };
  struct instance *home = calloc(1, sizeof *home);
  if (home == NULL) return fail(env, home);
  home->env = env;
  home->uses = 1;
  napi_value constructor = define_descriptor(env, home);
  if (constructor == NULL || napi_get_uv_event_loop(env, &home->loop) != napi_ok ||
      napi_create_reference(env, constructor, 1, &home->constructor) != napi_ok ||
      napi_set_instance_data(env, home, NULL, NULL) != napi_ok ||
      napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok ||
      napi_add_async_cleanup_hook(env, on_environment_end, home, &home->cleanup) != napi_ok) {
    return fail(env, home);
  }
  return exports;
}
