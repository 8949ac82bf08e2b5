// A plugin, container ids and stdin → the plugin called for all of them at once, and how long that took. A process as small as
// this one starts others in no time, where a Node.js of 100 MB takes 3 ms for each: that would hide what is measured.
//   timed PLUGIN ID…     the last line on stderr: nanoseconds, and the first exit status that is not 0
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char config[1 << 20];

static long long now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

// Each has its own: they read it side by side.
static int opened(size_t size) {
  int file = memfd_create("config", MFD_CLOEXEC);
  if (file < 0 || write(file, config, size) != (ssize_t)size || lseek(file, 0, SEEK_SET) != 0) exit(99);
  return file;
}

int main(int argc, char **argv) {
  size_t size = 0;
  for (ssize_t n; (n = read(0, config + size, sizeof config - size)) > 0;) size += n;
  int files[argc], worst = 0, nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (int i = 2; i < argc; i++) files[i] = opened(size);
  long long begun = now();
  for (int i = 2; i < argc; i++) {
    setenv("CNI_CONTAINERID", argv[i], 1);
    if (vfork() != 0) continue;
    dup2(files[i], 0);
    if (argc > 3) dup2(nothing, 1);
    execl(argv[1], argv[1], NULL);
    _exit(98);
  }
  for (int status; wait(&status) > 0;)
    if (worst == 0 && status != 0) worst = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  fprintf(stderr, "\n%lld %d\n", now() - begun, worst);
  return 0;
}
