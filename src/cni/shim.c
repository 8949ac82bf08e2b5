// What a runtime starts for each pod: CNI_* and stdin → the daemon's socket → its answer on stdout and stderr, and its exit
// status. Where no daemon serves, the program installed beside this one does the same work: .switchyard/node.
//   musl-gcc -static -Os -s -o cni-shim src/cni/shim.c
// The bytes that go over the socket are described in src/cni/daemon/frames.ts.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SOCKET
#define SOCKET "/run/switchyard/cni.sock"
#endif
#define LARGEST (16 << 20) // bytes of a configuration; one with a thousand attachments to keep has 100,000
#define STUCK "the daemon does not go on with what it has begun"
#define READY_WITHIN 5 // seconds: a daemon that is busy answers later than one that is idle
#define SILENT_FOR 15  // seconds: while it works, it sends a dot every second
extern char **environ;

// What is sent: its length, strings, an empty one, stdin. Of memory, the kernel gives only what is written to.
static char call[LARGEST + (1 << 20)];
static size_t call_size = 4, input_at;
static const char *plugin, *command;

static void cannot(const char *why) {
  int status = strcmp(command, "STATUS") == 0 ? 50 : 11;
  printf("{\"code\":%d,\"msg\":\"switchyard: %s\",\"details\":\"the daemon of this node listens at %s: is the pod that runs "
         "'switchyard pods' up?\"}\n", status, why, SOCKET);
  exit(1);
}

static int put(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    bytes += n, size -= n;
  }
  return 1;
}

static int get(int fd, void *bytes, size_t size) {
  for (char *at = bytes; size > 0;) {
    ssize_t n = read(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ECONNRESET;
    if (n <= 0) return 0;
    at += n, size -= n;
  }
  return 1;
}

static void read_input(void) {
  for (input_at = call_size;;) {
    ssize_t n = read(0, call + call_size, sizeof call - call_size);
    if (n < 0) cannot("the configuration on stdin cannot be read");
    if (n == 0) return;
    if ((call_size += n) - input_at > LARGEST) cannot("the configuration on stdin is larger than 16 MiB");
  }
}

static void add(const char *text) {
  size_t size = strlen(text) + 1;
  if (call_size + size >= sizeof call - LARGEST) cannot("the environment is larger than 1 MiB");
  memcpy(call + call_size, text, size), call_size += size;
}

static void patience(int fd, int which, int seconds) {
  setsockopt(fd, SOL_SOCKET, which, &(struct timeval){.tv_sec = seconds}, sizeof(struct timeval));
}

// The same work by a process of its own. `again`: a daemon began it and died, so what it may have made is taken back first.
static void alone(const char *again) {
  static char node[4096], program[4096], name[300];
  ssize_t size = readlink("/proc/self/exe", node, sizeof node - 64);
  char *slash = size < 0 ? NULL : memrchr(node, '/', size);
  if (slash == NULL) cannot("no daemon answers, and /proc is not mounted");
  strcpy(slash, "/.switchyard/lib"); // what Node.js is linked with, and this machine may not have
  setenv("LD_LIBRARY_PATH", node, 1);
  strcpy(slash, "/.switchyard/cni.js");
  strcpy(program, node);
  strcpy(slash, "/.switchyard/node");
  snprintf(name, sizeof name, "--plugin=%.255s", plugin);
  int file = memfd_create("stdin", MFD_CLOEXEC); // stdin was read; the program reads it once more
  if (file < 0 || !put(file, call + input_at, call_size - input_at) || lseek(file, 0, SEEK_SET) != 0 || dup2(file, 0) != 0)
    cannot("no daemon answers, and the configuration cannot be handed on");
  execl(node, node, "--disable-warning=ExperimentalWarning", program, name, again, NULL);
  cannot("no daemon answers, and no program to work without it is installed");
}

static int dial(void) {
  struct sockaddr_un where = {.sun_family = AF_UNIX, .sun_path = SOCKET};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  patience(fd, SO_SNDTIMEO, READY_WITHIN); // of connect, too
  patience(fd, SO_RCVTIMEO, READY_WITHIN);
  memcpy(call, &(uint32_t){htonl(call_size - 4)}, 4);
  if (connect(fd, (struct sockaddr *)&where, sizeof where) != 0 || !put(fd, call, call_size)) alone(NULL);
  char word;
  if (!get(fd, &word, 1)) { // The daemon begins once the kernel has taken its 'r', which it no longer does:
    shutdown(fd, SHUT_RDWR);
    if (!get(fd, &word, 1)) alone(NULL); // one that it took before is still there to be read
    cannot(STUCK);
  }
  patience(fd, SO_RCVTIMEO, SILENT_FOR);
  return fd;
}

// Status, stdout and stderr, all of it before any of it is printed.
static int answer(int fd) {
  struct { uint32_t status, out, err; } sizes;
  if (!get(fd, &sizes, sizeof sizes)) return -1;
  size_t out = ntohl(sizes.out), err = ntohl(sizes.err);
  char *text = malloc(out + err + 1);
  if (text == NULL) cannot("out of memory");
  if (!get(fd, text, out + err)) return -1;
  put(2, text + out, err), put(1, text, out);
  return ntohl(sizes.status);
}

int main(int argc, char **argv) {
  const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
  plugin = slash ? slash + 1 : argc > 0 ? argv[0] : "switchyard";
  command = getenv("CNI_COMMAND");
  if (command == NULL || *command == '\0') {
    fprintf(stderr, "%s: a CNI plugin of Switchyard. A container runtime starts it, with CNI_COMMAND set.\n", plugin);
    return 0;
  }
  signal(SIGPIPE, SIG_IGN);
  add("2"); // of what follows, so that a daemon may know an older helper
  add(plugin);
  for (char **entry = environ; *entry != NULL; entry++)
    if (strncmp(*entry, "CNI_", 4) == 0) add(*entry);
  add("");
  read_input();
  int fd = dial(), status = -1;
  char word = '.';
  while (word == '.' && get(fd, &word, 1))
    if (word == '=') status = answer(fd);
  if (status >= 0) return status;
  // Silent, it may still go on, and two must not do one thing; gone, it will not.
  if (errno == EAGAIN) cannot(STUCK);
  alone("--again");
}
