/* lower-bound FILE: sends netlink messages that are ready in a file, batch by batch, and waits for each batch's end.
 * What any program has to spend at least for these changes. FILE: for each batch its length (4 bytes, of this
 * machine's order) and its messages; a type of 0xffff is filled in with the number of the family IPVS. */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[65536];

static int fail(const char *what) {
  perror(what);
  exit(1);
}

/* The acknowledgement of the last message, which is the only one that asks for it; or an error of any. */
static void drain(int fd, uint32_t last) {
  for (;;) {
    ssize_t size = recv(fd, answer, sizeof answer, 0);
    if (size < 0) fail("recv");
    for (struct nlmsghdr *at = (void *)answer; NLMSG_OK(at, size); at = NLMSG_NEXT(at, size)) {
      if (at->nlmsg_type == NLMSG_ERROR && ((struct nlmsgerr *)NLMSG_DATA(at))->error != 0) {
        fprintf(stderr, "message %u: error %d\n", at->nlmsg_seq, ((struct nlmsgerr *)NLMSG_DATA(at))->error);
        exit(1);
      }
      if (at->nlmsg_seq == last) return;
    }
  }
}

static uint16_t family(int fd) {
  struct {
    struct nlmsghdr header;
    struct genlmsghdr generic;
    struct nlattr name;
    char text[8];
  } ask = {{sizeof ask, GENL_ID_CTRL, NLM_F_REQUEST, 1, 0}, {CTRL_CMD_GETFAMILY, 1, 0}, {9, CTRL_ATTR_FAMILY_NAME}, "IPVS"};
  if (send(fd, &ask, sizeof ask, 0) < 0) fail("send");
  ssize_t size = recv(fd, answer, sizeof answer, 0);
  struct nlmsghdr *header = (void *)answer;
  if (size < 0 || header->nlmsg_type == NLMSG_ERROR) fail("IPVS");
  char *end = answer + header->nlmsg_len;
  for (char *at = (char *)NLMSG_DATA(header) + GENL_HDRLEN; at + NLA_HDRLEN <= end;) {
    struct nlattr *attribute = (void *)at;
    if (attribute->nla_type == CTRL_ATTR_FAMILY_ID) return *(uint16_t *)(at + NLA_HDRLEN);
    at += NLA_ALIGN(attribute->nla_len);
  }
  return fail("no family");
}

int main(int count, char **words) {
  FILE *file = count == 2 ? fopen(words[1], "rb") : NULL;
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
  int room = 8 << 20;
  if (file == NULL || fd < 0) fail("open");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  uint16_t type = family(fd);
  uint32_t length;
  static char batch[1 << 20];
  while (fread(&length, sizeof length, 1, file) == 1) {
    if (length > sizeof batch || fread(batch, 1, length, file) != length) fail("read");
    uint32_t last = 0;
    int left = (int)length;
    for (struct nlmsghdr *at = (void *)batch; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
      if (at->nlmsg_type == 0xffff) at->nlmsg_type = type;
      last = at->nlmsg_seq;
    }
    if (send(fd, batch, length, 0) < 0) fail("send");
    drain(fd, last);
  }
  return 0;
}
