export default {
  render({ model, el }) {
    const keep = (state) => { model.set("state", state); model.save_changes(); };
    const explorer = mount(el, model.get("state"), keep);
    const follow = () => explorer.set(model.get("state"));
    model.on("change:state", follow);
    return () => { model.off("change:state", follow); explorer.destroy(); };
  },
};
