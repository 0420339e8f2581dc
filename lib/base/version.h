/* version.h - of the daemon and the tools. */
#ifndef BELFRY_BASE_VERSION_H
#define BELFRY_BASE_VERSION_H

#define BELFRY_VERSION "0.1.0"

#endif
