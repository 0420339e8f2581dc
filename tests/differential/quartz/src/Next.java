import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

/** Answers lines "id TAB cron TAB zone TAB from TAB count" with Quartz's next times. */
public final class Next {
    private Next() {
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        PrintStream out = new PrintStream(System.out, false);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] asked = line.split("\t");
            StringBuilder next = new StringBuilder();
            StringBuilder offsets = new StringBuilder();
            String error = "";
            try {
                CronExpression cron = new CronExpression(asked[1]);
                TimeZone zone = TimeZone.getTimeZone(asked[2]);
                cron.setTimeZone(zone);
                Date at = new Date(Long.parseLong(asked[3]) * 1000);
                for (int i = 0; i < Integer.parseInt(asked[4]); i++) {
                    at = cron.getNextValidTimeAfter(at);
                    if (at == null) {
                        break;
                    }
                    next.append(i == 0 ? "" : ",").append(at.getTime() / 1000);
                }
                for (String instant : asked.length > 5 ? asked[5].split(",") : new String[0]) {
                    long seconds = Long.parseLong(instant);
                    offsets.append(offsets.length() == 0 ? "" : ",")
                        .append(zone.getOffset(seconds * 1000) / 1000);
                }
            } catch (Exception refused) {
                error = String.valueOf(refused.getMessage()).replace('"', '\'').replace('\\', '/');
            }
            out.println("{\"id\":" + asked[0] + ",\"next\":[" + next + "],\"offsets\":[" + offsets
                + "]" + (error.isEmpty() ? "" : ",\"error\":\"" + error + "\"") + "}");
        }
        out.flush();
    }
}
