// npm @langchain/openai.
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { assert, endless, failure, isWeather, model, run } from './calls.mjs';

const chat = (options = {}) => new ChatOpenAI({ model, temperature: 0, maxTokens: 40, maxRetries: 0, ...options });
const Weather = z.object({ city: z.string().max(20), unit: z.enum(['celsius', 'fahrenheit']) });
const get_weather = tool(async ({ city }) => `21 degrees in ${city}`, { name: 'get_weather', description: 'The weather in a city.', schema: Weather });

await run({
  'a conversation of several turns': async () => {
    const messages = [new HumanMessage('My name is Marta and I live in Lisbon.')];
    const first = await chat().invoke(messages);
    messages.push(first, new HumanMessage('What is my name?'));
    const second = await chat().invoke(messages);
    assert.match(second.text, /Marta/);
    assert.ok(second.usage_metadata.input_token_details.cache_read >= first.usage_metadata.input_tokens);
  },

  'a stream brings what the whole answer is': async () => {
    const messages = [new HumanMessage('I have a cat called Miso.')];
    const whole = await chat().invoke(messages);
    let sum;
    for await (const chunk of await chat().stream(messages)) sum = sum ? sum.concat(chunk) : chunk;
    assert.equal(sum.text, whole.text);
    assert.equal(sum.usage_metadata.output_tokens, whole.usage_metadata.output_tokens);
  },

  'a stream is cancelled': async () => {
    const abort = new AbortController();
    let chunks = 0;
    await failure(async () => {
      const stream = await chat({ maxTokens: 1500, modelKwargs: { logit_bias: endless } }).stream([new HumanMessage('Hello!')], { signal: abort.signal });
      for await (const chunk of stream) {
        assert.equal(typeof chunk.text, 'string');
        if (++chunks === 5) abort.abort();
      }
    });
    assert.ok(chunks >= 5 && chunks < 1000);
  },

  'an unknown model is an error with its status and code': async () => {
    const error = await failure(() => chat({ model: 'another' }).invoke('x'));
    assert.deepEqual([error.status, error.code, error.param], [404, 'model_not_found', 'model']);
  },

  'a value out of range is an error with its param': async () => {
    const error = await failure(() => chat({ temperature: 3 }).invoke('x'));
    assert.deepEqual([error.status, error.param], [400, 'temperature']);
  },

  'tools: a call, its result, and the answer': async () => {
    const messages = [new HumanMessage('What is the weather in Lisbon?')];
    const call = await chat({ maxTokens: 300 }).bindTools([get_weather], { tool_choice: 'get_weather' }).invoke(messages);
    isWeather(call.tool_calls[0].args);
    messages.push(new AIMessage(call), new ToolMessage({ content: '21 degrees', tool_call_id: call.tool_calls[0].id }));
    const answer = await chat().bindTools([get_weather], { tool_choice: 'none' }).invoke(messages);
    assert.equal(typeof answer.text, 'string');
  },

  'structured: an object of a zod schema': async () => {
    isWeather(await chat({ maxTokens: 300 }).withStructuredOutput(Weather, { method: 'jsonSchema' }).invoke('The weather in Lisbon?'));
  },

  'structured: an object by a function call': async () => {
    isWeather(await chat({ maxTokens: 300 }).withStructuredOutput(Weather, { method: 'functionCalling' }).invoke('The weather in Lisbon?'));
  },

  embeddings: async () => {
    assert.equal((await new OpenAIEmbeddings({ model, maxRetries: 0 }).embedDocuments(['one', 'two'])).length, 2);
  },
});
