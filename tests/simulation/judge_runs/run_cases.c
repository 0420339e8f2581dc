#include "tests/simulation/judge_runs/run_cases.h"

#include <stddef.h>

/* A fire at 1, its claim at 2 and 3. */
#define OPENED "fire 1 at=1;record 0;mark 1;"
#define STARTED OPENED "report 2 started 1;commit 3 6;mark 3;"
#define RUNNING STARTED "report 5 running 1;mark 5;"
#define ENDED "report 9 success 1;free 0;mark 9;end 200"
/* Silence from 5 on: over at 16, the tick at 17. */
#define LAPSED RUNNING "tick 17 1;failed A lost;free 0;mark 18;end 200"
#define WAITS "report 9 failure 1;record 0 state=waiting ended=1:failure retry=20 at=9;mark 9;"
#define LOST_ONCE                                                                              \
    RUNNING "tick 17 1;record 0 state=waiting ended=1:lost lost=1 retry=28 at=18;mark 18;"     \
            "fire 2 at=28 try=2;record 0 n=2 counted=2 lost=1 ended=1:lost at=18;mark 28;"
/* The slot of 60 fires, its run ends at 200; those of 120 and 180 meet it. */
#define MET "mark 59;fire 1 at=60 slot=60;record 0;mark 60;mark 121;mark 181;report 200 success 1;"
#define MET_ENDS "free 0;mark 200;end 205"
/* A run fails, the next one is asked to stop, then one more fails. */
#define FAILS "report 9 failure 1;failed A failure;free 0;"
#define ASKED                                                                                      \
    RUNNING FAILS "mark 9;fire 2 at=10 id=B;record 0 first=2;mark 10;report 11 running 2 id=B;"    \
                  "cancel 2;record 0 first=2 asked=1 state=claimed;mark 12;"
#define FAILS_AGAIN                                                                                \
    "fire 3 at=26 id=C;record 0 first=3;mark 26;report 30 failure 3 id=C;failed C failure;"        \
    "free 0;paused C count=2;mark 30;end 200"

const struct run_case run_cases[] = {
    {"a run that ends", NULL, 1, SLOW_ALLOW, RUNNING "work 1 4 8;" ENDED},
    {"a run that is lost", NULL, 1, SLOW_ALLOW, LAPSED},

    /* 1: started at most once, none that has ended */
    {"started twice", "started twice", 1, SLOW_ALLOW, RUNNING "work 1 4 5;work 1 6 7;" ENDED},
    {"started twice, set back", NULL, 1, SLOW_ALLOW,
     RUNNING "work 1 4 5;work 1 6 7 limits=4;" ENDED},
    {"started after its end", "started after its end", 1, SLOW_ALLOW,
     OPENED "tick 62 1;failed A not_started;free 0;mark 62;work 1 63 70;end 200"},
    {"given up at work", "given up at work", 1, SLOW_ALLOW, "work 1 4 60;" LAPSED},
    {"given up, its worker frozen", NULL, 1, SLOW_ALLOW, "work 1 4 60 limits=2;" LAPSED},
    {"work of nobody", "work of no try", 1, SLOW_ALLOW, RUNNING "work 7 4 8;" ENDED},

    /* 2: no two at a time */
    {"a run beside another", "run beside another", 1, SLOW_SKIP,
     RUNNING "fire 2 at=6 id=B;record 1 first=2;mark 6;" ENDED},
    {"a run beside another, allowed", NULL, 1, SLOW_ALLOW,
     RUNNING "fire 2 at=6 id=B;record 1 first=2;mark 6;report 8 success 2 id=B;free 1;mark 8;"
             ENDED},
    {"a run behind another", NULL, 1, SLOW_SKIP,
     RUNNING "report 9 success 1;fire 2 at=9 id=B;free 0;record 0 first=2;mark 9;"
             "report 12 success 2 id=B;free 0;mark 12;end 200"},
    {"two tries at a time", "two tries at a time", 3, SLOW_ALLOW,
     "work 1 4 40;work 2 22 30;" RUNNING WAITS
     "fire 2 at=20 try=2;record 0 n=2 counted=2 ended=1:failure at=9;mark 20;"
     "report 30 success 2;free 0;mark 30;end 200"},

    /* 3: it ends in time, and none that is healthy is given up */
    {"lost too soon", "its lease was not over", 1, SLOW_ALLOW,
     RUNNING "tick 14 1;failed A lost;free 0;mark 15;end 200"},
    {"lost behind a sign", "its lease was not over", 1, SLOW_ALLOW,
     RUNNING "report 16 running 1;tick 17 1;failed A lost;free 0;mark 18;end 200"},
    {"lost without a tick", "no tick of its owner", 1, SLOW_ALLOW,
     RUNNING "failed A lost;free 0;mark 18;end 200"},
    {"lost by a tick of another epoch", "no tick of its owner", 1, SLOW_ALLOW,
     RUNNING "tick 17 1 epoch=9;failed A lost;free 0;mark 18;end 200"},
    {"lost by a tick that was never sent", "has not sent that tick", 1, SLOW_ALLOW,
     RUNNING "tick 17 1 unsent=1;failed A lost;free 0;mark 18;end 200"},
    {"lost without the question", "nobody has said before the tick", 1, SLOW_ALLOW,
     STARTED "tick 17 1;failed A lost;free 0;mark 18;end 200"},
    {"lost, the question answered after the tick", "nobody has said before the tick", 1,
     SLOW_ALLOW, STARTED "tick 17 1;answer 17.5 6;failed A lost;free 0;mark 18;end 200"},
    {"lost, the question answered", NULL, 1, SLOW_ALLOW,
     STARTED "answer 16 6;tick 17 1;failed A lost;free 0;mark 18;end 200"},
    {"lost, the question asked too soon", "nobody has said before the tick", 1, SLOW_ALLOW,
     STARTED "answer 8 6;tick 17 1;failed A lost;free 0;mark 18;end 200"},
    {"lost though not committed", "nobody has said before the tick", 1, SLOW_ALLOW,
     STARTED "answer 16 5;tick 17 1;failed A lost;free 0;mark 18;end 200"},
    {"a lease that a new owner did not begin anew", "its lease was not over", 1, SLOW_ALLOW,
     RUNNING "mark 14;mark 15 epoch=2;tick 17 1 epoch=2;failed A lost;free 0;mark 18 epoch=2;"
             "end 200"},
    {"lost of an earlier generation", NULL, 1, SLOW_ALLOW,
     RUNNING "failed A lost;free 0;mark 18 epoch=2 generation=1;end 200"},
    {"not started", NULL, 1, SLOW_ALLOW,
     OPENED "tick 62 1;failed A not_started;free 0;mark 62;end 200"},
    {"not started, too soon", "it could still be claimed", 1, SLOW_ALLOW,
     OPENED "tick 61.5 1;failed A not_started;free 0;mark 62;end 200"},
    {"not started, though it was", "its worker has said that it runs", 1, SLOW_ALLOW,
     RUNNING "tick 62 1;failed A not_started;free 0;mark 62;end 200"},
    {"started after its expiry is nothing", NULL, 1, SLOW_ALLOW,
     OPENED "report 61 started 1;tick 62 1;failed A not_started;free 0;mark 62;end 200"},
    {"open for ever", "run open for ever", 1, SLOW_ALLOW, RUNNING "end 200"},
    {"ended late", "run ends late", 1, SLOW_ALLOW,
     RUNNING "mark 22;tick 30 1;failed A lost;free 0;mark 31;end 200"},
    {"open, and healthy", NULL, 1, SLOW_ALLOW, RUNNING "end 12"},
    {"waits for ever", "waits for ever", 3, SLOW_ALLOW, RUNNING WAITS "end 200"},

    /* 4: tries that count */
    {"a retry", NULL, 3, SLOW_ALLOW,
     RUNNING WAITS "fire 2 at=20 try=2;record 0 n=2 counted=2 ended=1:failure at=9;mark 20;"
                   "report 30 success 2;free 0;mark 30;end 200"},
    {"one try too many", "attempts", 1, SLOW_ALLOW,
     RUNNING WAITS "fire 2 at=20 try=2;record 0 n=2 counted=2 ended=1:failure at=9;mark 20;"
                   "report 30 success 2;free 0;mark 30;end 200"},
    {"no retry", "it is over", 3, SLOW_ALLOW,
     RUNNING "report 9 failure 1;failed A failure;free 0;mark 9;end 200"},
    {"a retry too soon", "delay", 3, SLOW_ALLOW,
     RUNNING "report 9 failure 1;record 0 state=waiting ended=1:failure retry=15 at=9;mark 9;"
             "end 15"},
    {"a retry under the same number", "runnumber", 3, SLOW_ALLOW,
     RUNNING WAITS "fire 1 at=20 try=2;mark 20;end 21"},
    {"a released try does not count", NULL, 1, SLOW_ALLOW,
     RUNNING "report 9 released 1;fire 2 at=9 try=2;"
             "record 0 n=2 counted=1 released=1 ended=1:released at=9;mark 9;"
             "report 12 success 2;free 0;mark 12;end 200"},
    {"a released try that counts", "counted", 2, SLOW_ALLOW,
     RUNNING "report 9 released 1;fire 2 at=9 try=2;"
             "record 0 n=2 counted=2 released=1 ended=1:released at=9;mark 9;"
             "report 12 success 2;free 0;mark 12;end 200"},
    {"a worker that lived is not silent", "lost in a row", 5, SLOW_ALLOW,
     RUNNING "tick 17 1;record 0 state=waiting ended=1:lost lost=1 retry=28 at=18;mark 18;"
             "report 19 lost_lease 1;mark 19;fire 2 at=28 try=2;"
             "record 0 n=2 counted=2 lost=1 ended=1:lost at=18;mark 28;end 29"},
    {"it said so before the run ended", "lost in a row", 5, SLOW_ALLOW,
     LOST_ONCE "report 30 lost_lease 1;report 31 success 2;"
               "record 0 n=2 counted=2 lost=1 ended=1:lost at=31;free 0;mark 31;end 200"},
    {"it said so behind the run's end", NULL, 5, SLOW_ALLOW,
     LOST_ONCE "report 30 success 2;report 31 lost_lease 1;"
               "record 0 n=2 counted=2 lost=1 ended=1:lost at=31;free 0;mark 31;end 200"},

    /* 6: closed runs, other groups */
    {"ended by another group", "run ended by nobody", 1, SLOW_ALLOW,
     RUNNING "report 9 success 1 group=x;free 0;mark 9;end 200"},
    {"ended by a report of another run", "run ended by nobody", 1, SLOW_ALLOW,
     RUNNING "report 9 success 1 id=B;free 0;mark 9;end 200"},
    {"a report that is ignored", "run report ignored", 1, SLOW_ALLOW,
     RUNNING "report 9 success 1;mark 9;end 12"},
    {"another outcome than was reported", "run outcome", 3, SLOW_ALLOW,
     RUNNING "report 9 failure 1;record 0 state=waiting ended=1:timeout retry=20 at=9;mark 9;"
             "end 10"},
    {"a closed run with another try", "run closed", 3, SLOW_ALLOW,
     RUNNING "report 9 success 1;free 0;mark 9;fire 2 at=12 try=2;mark 12;end 13"},
    {"a closed run with a record", "run closed", 3, SLOW_ALLOW,
     RUNNING "report 9 success 1;free 0;mark 9;record 0;mark 12;end 13"},
    {"a record in the place of another", "run overwritten", 1, SLOW_ALLOW,
     RUNNING "fire 2 at=6 id=B;record 0 first=2;mark 6;end 7"},

    /* 5: slots that meet a run */
    {"left out by skip", NULL, 1, SLOW_SKIP, MET "left 120 180 overlap A at=200;" MET_ENDS},
    {"fired, though skip", "is to be left out", 1, SLOW_SKIP,
     MET "left 180 180 overlap A at=200;fire 2 at=200 slot=120 id=B;record 1 first=2;" MET_ENDS},
    {"left out by a run that is not open", "was not open", 1, SLOW_SKIP,
     MET "left 120 180 overlap X at=200;" MET_ENDS},
    {"left out, and no run is named", "names none", 1, SLOW_SKIP,
     MET "left 120 180 overlap - at=200;" MET_ENDS},
    {"left out behind a run that is over", "nothing was in its way", 1, SLOW_SKIP,
     MET "left 120 240 overlap A at=200;free 0;mark 200;mark 239;mark 241;mark 251;end 252"},
    {"left out, the younger run is named", "older is A", 1, SLOW_SKIP,
     MET "fire 2 at=70 id=B;record 1 first=2;mark 70;left 120 180 overlap B at=190;mark 190;"
         "end 191"},
    {"the first waits", NULL, 1, SLOW_BUFFER_ONE,
     MET "left 180 180 overlap A at=200;fire 2 at=200 slot=120 id=B;record 1 first=2;" MET_ENDS},
    {"the second waits", "none waits", 1, SLOW_BUFFER_ONE,
     MET "left 120 120 overlap A at=200;fire 2 at=200 slot=180 id=B;record 1 first=2;" MET_ENDS},
    {"two wait", "waited behind another", 1, SLOW_BUFFER_ONE,
     MET "free 0;fire 2 at=200 slot=120 id=B;record 1 first=2;mark 200;report 210 success 2 id=B;"
         "fire 3 at=210 slot=180 id=C;free 1;record 1 first=3;mark 210;end 211"},
    {"one waits, the buffer is full", NULL, 1, SLOW_BUFFER_ALL,
     MET "left 180 180 buffer_full A at=200;fire 2 at=200 slot=120 id=B;record 1 first=2;"
         MET_ENDS},
    {"left out of a buffer with room", "there is room", 1, SLOW_BUFFER_ALL,
     MET "left 120 180 buffer_full A at=200;" MET_ENDS},
    {"more wait than the buffer takes", "more wait", 1, SLOW_BUFFER_ALL,
     MET "free 0;fire 2 at=200 slot=120 id=B;record 1 first=2;mark 200;report 210 success 2 id=B;"
         "fire 3 at=210 slot=180 id=C;free 1;record 1 first=3;mark 210;end 211"},
    {"the newest waits", NULL, 1, SLOW_CANCEL_OTHER,
     MET "left 120 120 overlap A at=200;fire 2 at=200 slot=180 id=B;record 1 first=2;" MET_ENDS},
    {"an older one waits", "is not the newest", 1, SLOW_CANCEL_OTHER,
     MET "fire 2 at=200 slot=120 id=B;record 1 first=2;" MET_ENDS},

    /* requests to stop */
    {"a request of nobody", "asked to stop by nobody", 1, SLOW_ALLOW,
     RUNNING "cancel 1;record 0 asked=1 state=claimed;mark 6;end 7"},
    {"a request that is repeated", NULL, 1, SLOW_CANCEL_OTHER,
     RUNNING "cancel 1;record 0 asked=1 state=claimed;mark 6;report 9 running 1;mark 9;"
             "report 19 running 1;cancel 1;mark 19;end 20"},
    {"a request that is not repeated", "cancel not repeated", 1, SLOW_CANCEL_OTHER,
     RUNNING "cancel 1;record 0 asked=1 state=claimed;mark 6;report 9 running 1;mark 9;"
             "report 19 running 1;mark 19;end 20"},
    {"ended by a report that was read later", "run given up", 1, SLOW_CANCEL_OTHER,
     ASKED "free 0;mark 13;report 14 success 2 id=B;mark 14;end 200"},

    /* paused for its failures: two of them */
    {"paused", NULL, 1, SLOW_CANCEL_OTHER,
     ASKED "report 13 cancelled 2 id=B;free 0;mark 13;" FAILS_AGAIN},
    {"paused behind a success", "auto_paused", 1, SLOW_CANCEL_OTHER,
     ASKED "report 13 success 2 id=B;free 0;mark 13;" FAILS_AGAIN},
    {"paused, a success came too late", NULL, 1, SLOW_CANCEL_OTHER,
     ASKED "tick 23 1;free 0;mark 24;report 25 success 2 id=B;mark 25;" FAILS_AGAIN},
    {"paused, a success came perhaps too late", NULL, 1, SLOW_CANCEL_OTHER,
     ASKED "tick 23 1;report 24 success 2 id=B;free 0;mark 24;" FAILS_AGAIN},
    {"a failure, and a fire undone in the place of its run", NULL, 1, SLOW_ALLOW,
     RUNNING FAILS "record 0 first=2;free 0;mark 9;end 200"},
    {NULL, NULL, 0, SLOW_ALLOW, NULL}};
