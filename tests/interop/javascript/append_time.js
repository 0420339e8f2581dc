// What kafkajs knows of when a record was appended.
//
//     npm install && node append_time.js localhost:9092 belfry.runs
const { Kafka, Partitioners, logLevel } = require('kafkajs');

async function main() {
  const [bootstrap, topic] = process.argv.slice(2);
  const producer = new Kafka({ brokers: [bootstrap], logLevel: logLevel.ERROR })
    .producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const [sent] = await producer.send({ topic, messages: [{ value: 'js', timestamp: '1' }] });
  await producer.disconnect();
  console.log(sent.baseOffset, sent.logAppendTime);
}

main().catch((error) => { console.error(error.message); process.exit(1); });
