/* notify.h - tells systemd (Type=notify) how far the daemon is. */
#ifndef BELFRY_DAEMON_NOTIFY_H
#define BELFRY_DAEMON_NOTIFY_H

/* Sends "READY=1", "STOPPING=1" and the like to the socket that $NOTIFY_SOCKET names; does
 * nothing where there is none. */
void notify_supervisor(const char *state);

#endif
