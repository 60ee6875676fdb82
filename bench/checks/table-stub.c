/*
 * Preloaded into keepalived where the kernel has no IPVS: its questions to the table are all answered with yes. Only
 * what it asks of libnl is replaced; its checkers and timers are its own.
 */
struct nl_sock;
struct nl_msg;
typedef int (*listener)(struct nl_msg *, void *);

/* enum nl_cb_type of netlink/handlers.h */
enum { NL_CB_FINISH = 1, NL_CB_ACK = 4, NL_CB_TYPES = 11 };

static listener listeners[NL_CB_TYPES];
static void *contexts[NL_CB_TYPES];

int genl_ctrl_resolve(struct nl_sock *socket, const char *name) {
  (void)socket;
  (void)name;
  return 42;
}

int nl_socket_modify_cb(struct nl_sock *socket, int type, int kind, listener function, void *context) {
  (void)socket;
  (void)kind;
  if (type < 0 || type >= NL_CB_TYPES) return -1;
  listeners[type] = function;
  contexts[type] = context;
  return 0;
}

int nl_send_auto(struct nl_sock *socket, struct nl_msg *message) {
  (void)socket;
  (void)message;
  return 1;
}

int nl_recvmsgs_default(struct nl_sock *socket) {
  (void)socket;
  if (listeners[NL_CB_ACK] != 0) listeners[NL_CB_ACK](0, contexts[NL_CB_ACK]);
  if (listeners[NL_CB_FINISH] != 0) listeners[NL_CB_FINISH](0, contexts[NL_CB_FINISH]);
  return 0;
}
