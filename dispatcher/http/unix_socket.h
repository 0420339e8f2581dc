/* unix_socket.h - a Unix socket at a place: a path, or "@name", which is no file (the abstract
 * namespace). */
#ifndef BELFRY_HTTP_UNIX_SOCKET_H
#define BELFRY_HTTP_UNIX_SOCKET_H

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Fills the address; returns how much of it counts.
 *   place  1 to UNIX_PLACE_BYTES_MAX bytes */
socklen_t unix_socket_address(const char *place, struct sockaddr_un *address);

/* Binds and listens, without waiting for anything. A file that nobody listens at any more is
 * replaced.
 *   mode  of the file; 0: what the umask leaves
 *   returns  a descriptor that does not block, or -1 and errno */
int unix_socket_listen(const char *place, mode_t mode, int backlog);

/* Removes the file, where there is one. */
void unix_socket_forget(const char *place);

#endif
