import java.io.BufferedReader;
import java.io.FileReader;
import java.text.ParseException;
import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

/** Times Quartz over the expressions of a file, as bench_next.c does; the first rounds warm up. */
public final class Bench {
    private static final int STEPS = 1000;
    private static final int ROUNDS = 6;
    private static final long START_MS = 1767225600000L;

    private Bench() {
    }

    private static double best(CronExpression cron) {
        double least = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            Date at = new Date(START_MS);
            long from = System.nanoTime();
            for (int step = 0; step < STEPS; step++) {
                at = cron.getNextValidTimeAfter(at);
                if (at == null) {
                    at = new Date(START_MS);
                }
            }
            least = Math.min(least, (System.nanoTime() - from) / (double) STEPS);
        }
        return least;
    }

    public static void main(String[] arguments) throws Exception {
        try (BufferedReader lines = new BufferedReader(new FileReader(arguments[0]))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] columns = line.split("\t");
                if (columns.length < 3 || line.startsWith("#")) {
                    continue;
                }
                for (int i = 1; i < arguments.length; i++) {
                    try {
                        CronExpression cron = new CronExpression(columns[2]);
                        cron.setTimeZone(TimeZone.getTimeZone(arguments[i]));
                        System.out.printf("Quartz\t%s\t%s\t%s\t%.2f%n", arguments[i], columns[0],
                            columns[1], best(cron));
                    } catch (ParseException refused) {
                        continue;
                    }
                }
            }
        }
    }
}
