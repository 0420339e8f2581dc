/* ports.h - whether the simulated Kafka does for runs what dispatcher/engine/broker.h says, and
 * goes wrong as it is told to. */
#ifndef BELFRY_TESTS_PORTS_H
#define BELFRY_TESTS_PORTS_H

/* Over some seeds; says on standard error what does not hold. Returns how much that is. */
int ports_check(void);
/* The same of its workers. */
int workers_check(void);

#endif
