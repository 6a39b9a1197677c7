/** The queue of `snapshot-part`. The platform moves a message that failed five times to the poison queue. */
export const queueName = 'snapshot-parts'

export const poisonQueueName = `${queueName}-poison`
