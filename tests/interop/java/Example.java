// Adds a job, reads the result and the fire: Java with kafka-clients.
//
//     java -cp 'libs/*' Example.java localhost:9092 belfry billing invoice
//
// where libs/ holds kafka-clients and what it needs.
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Example {
    // The first record with the text in it, from the beginning of the topic.
    static String read(String bootstrap, String topic, String text) {
        Map<String, Object> options = Map.of(
            "bootstrap.servers", bootstrap,
            "group.id", UUID.randomUUID().toString(), // a service of yours keeps one name
            "auto.offset.reset", "earliest",
            "isolation.level", "read_committed"); // the default shows aborted records
        StringDeserializer texts = new StringDeserializer();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(options, texts, texts)) {
            consumer.subscribe(List.of(topic));
            Instant deadline = Instant.now().plusSeconds(30);
            while (Instant.now().isBefore(deadline)) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    String value = record.value(); // null: a fire in binary mode without payload
                    if (value != null && value.contains(text)) return value;
                }
            }
        }
        throw new IllegalStateException("nothing on " + topic + " within 30 s");
    }

    public static void main(String[] arguments) throws Exception {
        String bootstrap = arguments[0], cluster = arguments[1];
        String group = arguments[2], id = arguments[3];
        String commandId = UUID.randomUUID().toString();
        String command = String.format("""
            {"op":"add","command_id":"%s","job":{"group":"%s","id":"%s",
             "schedule":{"at":"%s"},"payload":{"from":"java"}}}""",
            commandId, group, id, Instant.now());
        // The default partitioner takes a group to its shard.
        Map<String, Object> options = Map.of("bootstrap.servers", bootstrap);
        StringSerializer texts = new StringSerializer();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(options, texts, texts)) {
            producer.send(new ProducerRecord<>(cluster + ".control", group, command)).get();
        }
        String answers = "\"command_id\":\"" + commandId + "\"";
        System.out.println(read(bootstrap, cluster + ".results", answers));
        String ours = "\"subject\":\"" + group + "/" + id + "\"";
        System.out.println(read(bootstrap, cluster + ".fires", ours));
    }
}
