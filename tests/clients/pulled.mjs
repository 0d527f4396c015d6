// What an observable pushes, as something to iterate over.
export const pulled = (observable) => {
  let subscription;
  return new ReadableStream({
    start(controller) {
      subscription = observable.subscribe((answer) => controller.enqueue(answer));
    },
    cancel() {
      subscription.unsubscribe();
    },
  });
};
