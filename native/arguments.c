/* Reading of arguments: nothing from JavaScript is believed. */
#include "native.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static int read_view(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *length) {
  /* An empty view has no memory behind it; system calls still want a pointer. */
  static uint8_t no_bytes[1];
  napi_typedarray_type type;
  napi_value buffer;
  size_t offset;
  bool detached;
  if (napi_get_typedarray_info(env, value, &type, length, data, &buffer, &offset) != napi_ok || type != wanted) {
    return -EINVAL;
  }
  if (*length > 0 && *data != NULL) return 0;
  /* The memory of a detached array belongs to somebody else now: a defect of the caller, not an empty message. */
  if (napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached) return -EINVAL;
  *length = 0;
  *data = no_bytes;
  return 0;
}

int read_bytes(napi_env env, napi_value value, struct bytes *out) {
  void *data = NULL;
  int result = read_view(env, value, napi_uint8_array, &data, &out->length);
  out->data = data;
  return result;
}

int read_optional_bytes(napi_env env, napi_value value, struct bytes *out) {
  napi_valuetype type;
  *out = (struct bytes){NULL, 0};
  if (napi_typeof(env, value, &type) != napi_ok) return -EINVAL;
  return type == napi_undefined ? 0 : read_bytes(env, value, out);
}

int read_integers(napi_env env, napi_value value, struct integers *out) {
  void *data = NULL;
  int result = read_view(env, value, napi_int32_array, &data, &out->length);
  out->data = data;
  return result;
}

int read_integer(napi_env env, napi_value value, int minimum, int maximum, int *out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) return -EINVAL;
  /* NaN fails both comparisons. */
  if (!(number >= minimum && number <= maximum) || number != floor(number)) return -EINVAL;
  *out = (int)number;
  return 0;
}

int read_path(napi_env env, napi_value value, char *out, size_t size) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, out, size, &length) != napi_ok) return -EINVAL;
  /* A full buffer means that the text was cut; a shorter C string, that it holds a NUL. */
  return length == 0 || length + 1 >= size || strlen(out) != length ? -EINVAL : 0;
}

int read_optional_path(napi_env env, napi_value value, char *out, size_t size, const char **path) {
  napi_valuetype type;
  *path = NULL;
  if (napi_typeof(env, value, &type) != napi_ok) return -EINVAL;
  if (type == napi_undefined) return 0;
  *path = out;
  return read_path(env, value, out, size);
}

napi_value answer(napi_env env, int64_t value) {
  napi_value result;
  return napi_create_int64(env, value, &result) == napi_ok ? result : NULL;
}

napi_value answer_of(napi_env env, ssize_t result) {
  return answer(env, result < 0 ? -errno : result);
}

struct descriptor *receiver_of(napi_env env, napi_callback_info info, size_t count, napi_value *arguments) {
  napi_value self;
  void *wrapped = NULL;
  if (napi_get_cb_info(env, info, &count, arguments, &self, NULL) == napi_ok &&
      napi_unwrap(env, self, &wrapped) == napi_ok && wrapped != NULL) {
    return wrapped;
  }
  napi_throw_type_error(env, NULL, "not a descriptor");
  return NULL;
}
