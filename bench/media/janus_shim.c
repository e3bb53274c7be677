/* Preloaded into Janus: in some sandboxes two socket options that its ICE library sets are refused,
 * and it then has no candidates. They name the device of a route, of which there is only one here. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
    static int (*real)(int, int, int, const void *, socklen_t);
    if ((level == SOL_SOCKET && name == SO_BINDTODEVICE) ||
        (level == IPPROTO_IP && name == IP_UNICAST_IF))
        return 0;
    if (!real)
        real = (int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
    return real(fd, level, name, value, size);
}
